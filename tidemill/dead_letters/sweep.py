"""Sweep: receives every letter of a queue once, and makes those that remain visible again.

SQS has no call that looks at a message. A receive hides it, counts, and returns up to ten. A letter
is hidden for HIDE_SECONDS at most, and until the end of the command if that is sooner; a program
that is killed leaves it hidden for that time. In a FIFO queue a hidden letter holds back its group,
so that no more than the first ten of each group can be received.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from shared.errors import QueueError
from shared.quotas import MAX_BATCH
from tidemill.dead_letters.letter import Letter
from tidemill.dead_letters.patience import ATTEMPTS, patiently, pause_before

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.queue import ReceivedMessage, Refusal
    from shared.stopping import Stop

HIDE_SECONDS: Final = 30
WAIT_SECONDS: Final = 1
"""A receive that waits asks all of SQS's servers; one that does not may miss messages."""

STALE: Final = 3
"""Receives with nothing but letters that were seen before, after which the sweep ends; there are
more if many are held, since they come back in the midst of others."""


class LetterQueue(Protocol):
    """The dead-letter queue."""

    url: str
    fifo: bool

    def receive(
        self, limit: int, wait_seconds: int, visibility_seconds: int
    ) -> list[ReceivedMessage]:
        """Receive up to `limit` messages."""
        ...

    def delete(self, receipts: Sequence[str]) -> tuple[Refusal, ...]:
        """Delete up to ten messages; return the refusals."""
        ...

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
        """Make up to ten messages visible in so many seconds; return the refusals."""
        ...


class Sweep:
    """One pass over the letters of a queue.

    Attributes:
        seen: ids of the letters that were received.
        held: the letters that are hidden by this sweep, by id.
        complete: whether the queue had nothing else to return at the end.
    """

    def __init__(self, queue: LetterQueue, stop: Stop) -> None:
        """Look at this queue until a stop is requested."""
        self._queue = queue
        self._stop = stop
        self.seen: set[str] = set()
        self.held: dict[str, Letter] = {}
        self.complete = False

    def batches(self, most: int = MAX_BATCH) -> Iterator[list[Letter]]:
        """Yield letters that were not seen before, in the queue's order, up to `most` at a time.

        Raises:
            QueueError: SQS does not answer, or refuses to.
        """
        stale = 0
        while not self._stop.requested():
            received = patiently(
                lambda: self._queue.receive(most, WAIT_SECONDS, HIDE_SECONDS), self._stop
            )
            letters = [Letter(message) for message in received]
            self.held |= {letter.id: letter for letter in letters}
            fresh = [letter for letter in letters if letter.id not in self.seen]
            stale = 0 if fresh else stale + 1
            if not letters or stale > STALE + len(self.held) // 5:
                self.complete = True
                return
            if fresh:
                self.seen |= {letter.id for letter in fresh}
                yield fresh

    def delete(self, letters: Sequence[Letter]) -> list[Letter]:
        """Delete up to ten letters; return those that SQS did not delete, which are seen again.

        Raises:
            QueueError: SQS does not answer, or refuses the request.
        """
        left = list(letters)
        for attempt in range(ATTEMPTS):
            if not left or (attempt and self._stop.requested()):
                break
            pause_before(attempt, self._stop)
            left = self._delete_once(left)
        self.seen -= {letter.id for letter in left}
        return left

    def _delete_once(self, letters: Sequence[Letter]) -> list[Letter]:
        receipts = [letter.received.receipt for letter in letters]
        refusals = patiently(lambda: self._queue.delete(receipts), self._stop)
        left = [letters[refusal.index] for refusal in refusals]
        for letter in letters:
            if letter not in left:
                self.held.pop(letter.id, None)
        return left

    def give_back(self) -> int:
        """Make all held letters visible again; return how many stay hidden for their time."""
        letters = list(self.held.values())
        hidden = 0
        for begin in range(0, len(letters), MAX_BATCH):
            batch = letters[begin : begin + MAX_BATCH]
            try:
                refusals = self._queue.change_visibility(
                    [(letter.received.receipt, 0) for letter in batch]
                )
            except QueueError:
                hidden += len(batch)
            else:
                hidden += len(refusals)
        self.held.clear()
        return hidden
