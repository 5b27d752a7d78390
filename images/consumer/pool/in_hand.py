"""What one worker process has in hand, read from its page: begun, ended, overdue, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from consumer.attempt import AttemptResult
from consumer.handlers.verdict import Verdict
from consumer.output.lines import NO_ORIGIN, Origin
from consumer.pool import page as states
from consumer.pool.page import SLOTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.delivery import Delivery
    from consumer.pool.page import Page

PROCESSED: Final = Verdict(AttemptResult.PROCESSED)


class Handed(msgspec.Struct, frozen=True, gc=False):
    """A delivery in a worker's hands, since this time (monotonic), and its call of the handler."""

    delivery: Delivery
    at: float
    call: int


Ended: TypeAlias = "tuple[Delivery, Verdict, float, float]"
"""A delivery whose handler has ended, with the verdict and the monotonic times of start and end."""


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
        self._together = False

    def add(self, deliveries: Sequence[Delivery], now: float, *, together: bool) -> list[int]:
        """Add deliveries, for one call of the handler together or for one each."""
        slots = [self._free.pop() for _ in deliveries]
        call, step = self._calls, 0 if together else 1
        clear = self._page.clear
        for slot, delivery in zip(slots, deliveries, strict=True):
            clear(slot)
            self.slots[slot] = Handed(delivery, now, call)
            call += step
        self._calls = call + 1
        self._together = self._together or together
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
        ended: list[Ended] = []
        left: list[Delivery] = []
        done = [
            one
            for one in self._page.done(self.slots)
            if one[1] != states.ANSWERED or one[0] in self._answers  # or its frame is in the pipe
        ]
        if self._together and not dead:
            unended = self.slots.keys() - {slot for slot, *_ in done}
            calls = {self.slots[slot].call for slot in unended}
            done = [one for one in done if self.slots[one[0]].call not in calls]
        for slot, state, started, finished in done:
            delivery = self.slots.pop(slot).delivery
            if state == states.SKIPPED:
                left.append(delivery)
            else:
                verdict = self._answers.pop(slot) if state == states.ANSWERED else PROCESSED
                ended.append((delivery, verdict, started, finished))
            self._free.append(slot)
        self.used = self.used or bool(ended)
        if self._lost:
            for slot, *_ in self._page.done(self._lost):
                del self._lost[slot]
                self._free.append(slot)
        return ended, left

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
