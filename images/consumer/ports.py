"""What the consumer needs from the world: a queue, a clock, and somewhere to write lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.queue import Received, Refusal


class Queue(Protocol):
    """The calls of shared.queue.SqsQueue that a consumer makes; each takes up to ten messages.

    All of them raise QueueUnavailableError (the call may succeed later) or QueueRefusedError.
    """

    def receive(self, limit: int, wait_seconds: int, visibility_seconds: int) -> list[Received]:
        """Receive up to `limit` messages, waiting for the first of them."""
        ...

    def delete(self, receipts: Sequence[str]) -> tuple[Refusal, ...]:
        """Delete the messages; return those that were not."""
        ...

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
        """Set after how many seconds from now each message shows up again."""
        ...


class Clock(Protocol):
    """Time in seconds."""

    def time(self) -> float:
        """Return the seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Come back after this long."""
        ...


class Sink(Protocol):
    """Takes encoded lines, whole batches at a time."""

    def write(self, lines: list[bytes]) -> None:
        """Write the lines; when it returns, a crash of the process loses none of them."""
        ...
