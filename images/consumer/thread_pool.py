"""Who handles the messages of a receive: the worker itself, or a few threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from shared.queue import Received

Crew: TypeAlias = "Callable[[Callable[[Received], None], Sequence[Received]], Iterable[None]]"
"""Applies a function to all messages; yields once each time one of them is done."""


def crew_of(size: int) -> Crew:
    """Return a crew that handles this many messages at once."""
    return map if size == 1 else _threads(ThreadPoolExecutor(size, thread_name_prefix="handler"))


def _threads(executor: ThreadPoolExecutor) -> Crew:
    def crew(handle: Callable[[Received], None], messages: Sequence[Received]) -> Iterator[None]:
        futures = [executor.submit(handle, message) for message in messages]
        for future in as_completed(futures):
            yield future.result()

    return crew
