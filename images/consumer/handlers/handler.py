"""A handler that is ready to be called: what the code that runs handlers needs to know of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.handlers.arrival import Arrival
    from consumer.handlers.verdict import Verdict

Extend: TypeAlias = "Callable[[int, float], None]"
"""Moves the time limit of the message at this place among the arrivals to so many seconds from now.

It is called in the handler's thread, or in that of the event loop.
"""


class HandlerKind(StrEnum):
    """How a handler is called: with one message, with one in an event loop, or with several."""

    SYNC = "sync"
    ASYNC = "async"
    BATCH = "batch"


class Handler(Protocol):
    """A handler with all that its code declares about it."""

    @property
    def kind(self) -> HandlerKind:
        """How it is called."""
        ...

    def startup(self) -> None:
        """Run the handler's own startup, once, before the first message.

        Raises:
            HandlerError: it failed.
        """
        ...

    def shutdown(self) -> None:
        """Run the handler's own shutdown, once, after the last message, and end its event loop.

        Raises:
            HandlerError: it failed.
        """
        ...

    def call(self, arrivals: Sequence[Arrival], extend: Extend) -> list[Verdict]:
        """Call the handler; return one verdict for each message and never raise.

        Any thread may call it, several at the same time. An async handler runs in its event loop
        while the calling thread waits.
        """
        ...

    async def call_async(self, arrival: Arrival, extend: Extend) -> Verdict:
        """Call an async handler from a coroutine of any event loop; never raise.

        The place that `extend` gets is 0.
        """
        ...
