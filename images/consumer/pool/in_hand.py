"""What one worker process has in hand, read from its page: begun, ended, overdue, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from consumer.attempt import AttemptResult
from consumer.handlers.verdict import Verdict
from consumer.pool import page as states
from consumer.pool.output import NO_ORIGIN, Origin
from consumer.pool.page import SLOTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.delivery import Delivery
    from consumer.pool.page import Page

PROCESSED: Final = Verdict(AttemptResult.PROCESSED)


class Handed(NamedTuple):
    """A delivery in a worker's hands, since this time (monotonic), and its call of the handler."""

    delivery: Delivery
    at: float
    call: int


class Ended(NamedTuple):
    """A delivery whose handler has ended; the times are monotonic."""

    delivery: Delivery
    verdict: Verdict
    started_at: float
    finished_at: float


class InHand:
    """The deliveries of one worker process by their slots; only one thread at a time may use it."""

    def __init__(self, page: Page) -> None:
        """Start with nothing in hand."""
        self.slots: dict[int, Handed] = {}
        self.used = False  # a handler has ended a message here
        self._page = page
        self._answers: dict[int, Verdict] = {}
        self._free = list(range(SLOTS))
        self._lost: dict[int, float] = {}  # slots taken back that the worker has not passed, since
        self._calls = 0

    def add(self, deliveries: Sequence[Delivery], now: float, *, together: bool) -> list[int]:
        """Add deliveries, for one call of the handler together or for one each."""
        slots = []
        for delivery in deliveries:
            slot = self._free.pop()
            self._page.clear(slot)
            self.slots[slot] = Handed(delivery, now, self._calls)
            self._calls += not together
            slots.append(slot)
        self._calls += together
        return slots

    def answer(self, slot: int, verdict: Verdict) -> None:
        """Keep the verdict on a message that was not simply processed."""
        self._answers[slot] = verdict

    def only(self) -> Origin:
        """Return the message in hand, if it is the only one."""
        if len(self.slots) != 1:
            return NO_ORIGIN
        (only,) = self.slots.values()
        return Origin(only.delivery.received.message_id, only.delivery.trace_id)

    def ids(self, slots: Sequence[int]) -> list[str]:
        """Return the ids of these messages."""
        return [self.slots[slot].delivery.received.message_id for slot in slots]

    def collect(self, *, dead: bool = False) -> tuple[list[Ended], list[Delivery]]:
        """Take out what has ended, and what it has left since it was taken back.

        What was handed over for one call ends together, so that its failures are known before what
        follows them in their groups. Only of a process that is dead is there nothing to wait for.
        """
        page = self._page
        unended = (
            set()
            if dead
            else {handed.call for slot, handed in self.slots.items() if not self._has_ended(slot)}
        )
        ended: list[Ended] = []
        left: list[Delivery] = []
        for slot, handed in list(self.slots.items()):
            if not self._has_ended(slot) or handed.call in unended:
                continue
            state = page.state(slot)
            if state == states.SKIPPED:
                left.append(handed.delivery)
            else:
                verdict = self._answers.pop(slot) if state == states.ANSWERED else PROCESSED
                started, finished = page.started_at(slot), page.finished_at(slot)
                ended.append(Ended(handed.delivery, verdict, started, finished))
                self.used = True
            del self.slots[slot]
            self._free.append(slot)
        for slot in [slot for slot in self._lost if page.state(slot) == states.SKIPPED]:
            del self._lost[slot]
            self._free.append(slot)
        return ended, left

    def _has_ended(self, slot: int) -> bool:
        """Return whether a message has ended, and with which verdict is known."""
        state = self._page.state(slot)
        if state == states.ANSWERED:  # unless its frame is still in the pipe
            return slot in self._answers
        return state > states.STARTED

    def started(self) -> list[int]:
        """Return the slots of the messages that a handler has now."""
        page = self._page
        return [slot for slot in self.slots if page.state(slot) == states.STARTED]

    def overdue(self, now: float) -> frozenset[int]:
        """Return the slots of the messages beyond their time limit."""
        page = self._page
        return frozenset(slot for slot in self.started() if now >= page.deadline(slot))

    def limit(self, slot: int) -> float:
        """Return the seconds that this message was given, extensions included."""
        return self._page.deadline(slot) - self._page.started_at(slot)

    def calls(self, slots: Sequence[int]) -> int:
        """Return in how many calls of the handler these messages are."""
        return len({self.slots[slot].call for slot in slots})

    @property
    def stuck_since(self) -> float | None:
        """Return since when it has been ignoring a message without having another one begun."""
        if self.started():
            return None
        since = [handed.at for handed in self.slots.values()]
        return min([*since, *self._lost.values()], default=None)

    @property
    def room(self) -> int:
        """Return how many more messages its page can take; none while it ignores what it has."""
        return 0 if self._lost else len(self._free)

    # what is taken back

    def held_back(self, now: float, patience: float) -> list[int]:
        """Return the slots of messages that wait behind one that takes longer than expected."""
        page = self._page
        started = self.started()
        if len(started) == len(self.slots):
            return []
        if started and now - min(page.started_at(slot) for slot in started) < patience:
            return []
        waiting = [slot for slot in self.slots if slot not in started]
        return [slot for slot in waiting if now - self.slots[slot].at >= patience]

    def revoke(self, slots: Sequence[int]) -> None:
        """Mark messages as taken back; `take_back` is to follow after REVOKE_SECONDS."""
        for slot in slots:
            self._page.revoke(slot)

    def take_back(self, slots: Sequence[int], now: float) -> list[Delivery]:
        """Take out the marked messages that have not been started in spite of the mark."""
        taken = []
        for slot in slots:
            if slot in self.slots and self._page.state(slot) in {
                states.QUEUED,
                states.SKIPPED,
            }:
                taken.append(self.slots.pop(slot).delivery)
                self._lost[slot] = now
        return taken
