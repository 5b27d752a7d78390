"""A fake of the log stream to which the consumer delivers its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.logs.backlog import Event


class FakeStream:
    """A stream that keeps the lines of each batch.

    `trouble` gets the batch before it is taken: it may raise, or return how many are refused.
    """

    def __init__(self) -> None:
        """Take every batch."""
        self.trouble: Callable[[list[Event]], int] = lambda _: 0
        self.batches: list[list[bytes]] = []
        self.tries = 0

    @property
    def lines(self) -> list[bytes]:
        """Return all lines that were taken."""
        return [line for batch in self.batches for line in batch]

    def put(self, events: list[Event]) -> int:
        """Take the batch, or raise what `trouble` raises."""
        self.tries += 1
        refused = self.trouble(events)
        self.batches.append([line for _, line in events])
        return refused
