"""The messages that one consumer has in hand: some are handled, the others wait."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from consumer.capacity import HandlingTimes, finishable, receive_size, room
from consumer.groups.caution import Caution

if TYPE_CHECKING:
    from tidemill.simulator.queues.queued_message import Cause, QueuedMessage
    from tidemill.simulator.worker_settings import WorkerSettings

MEASURED_EACH: Final = 10
"""The percentile of the handling times is computed anew at each of the first ten messages, then at
every tenth: sorting a hundred numbers for each message would take longer than all else."""


class Hand:
    """The messages in hand of one consumer, by the rules of consumer.capacity and .caution.

    Attributes:
        waiting: received messages that no handler has yet, in their order.
        running: a heap of (end, serial number, message, why it fails) of those in work.
    """

    __slots__ = (
        "_caution",
        "_measured",
        "_p95",
        "_serial",
        "_slots",
        "_times",
        "running",
        "waiting",
    )

    def __init__(self, worker: WorkerSettings, *, in_order: bool) -> None:
        """Begin empty; with `in_order`, messages of one group are handled one after another."""
        self.waiting: deque[QueuedMessage] = deque()
        self.running: list[tuple[float, int, QueuedMessage, Cause | None]] = []
        self._slots = worker.slots
        self._p95 = worker.longest_expected
        self._times = HandlingTimes(self._p95)
        self._measured = 0
        self._serial = 0
        self._caution = Caution() if in_order else None

    def __len__(self) -> int:
        """Return how many messages are in hand."""
        return len(self.waiting) + len(self.running)

    def receive_size(self, limit: int, drain: float, now: float) -> int:
        """Return how many messages to ask for; 0 means to wait until more are finished."""
        slots, held = self._slots, len(self.waiting) + len(self.running)
        size = receive_size(slots, held, room(slots, held, self._p95, drain), limit)
        return size if self._caution is None else self._caution.limit(size, now)

    def next(self) -> QueuedMessage | None:
        """Take the next message that may start now; None if there is none, or no free slot."""
        waiting = self.waiting
        if not waiting or len(self.running) >= self._slots:
            return None
        if self._caution is not None:
            busy = {message.group for _, _, message, _ in self.running}
            for at, message in enumerate(waiting):
                if message.group not in busy:
                    del waiting[at]
                    return message
            return None
        return waiting.popleft()

    def run(self, message: QueuedMessage, end: float, cause: Cause | None) -> None:
        """Begin the handling of a message that ends then."""
        self._serial += 1
        heappush(self.running, (end, self._serial, message, cause))

    def ended(self, now: float) -> tuple[QueuedMessage, Cause | None] | None:
        """Take out the next message whose handling has ended, and why it failed."""
        if self.running and self.running[0][0] <= now:
            _, _, message, cause = heappop(self.running)
            return message, cause
        return None

    def measure(self, seconds: float) -> None:
        """Add the duration of an attempt to the moving percentile."""
        self._times.add(seconds)
        self._measured += 1
        if self._measured <= MEASURED_EACH or self._measured % MEASURED_EACH == 0:
            self._p95 = self._times.p95()

    def through(self, message: QueuedMessage) -> None:
        """Note that a message is processed, so that its group goes on."""
        if self._caution is not None:
            self._caution.through(str(message.group))

    def followers(self, failed: QueuedMessage, delay: float, now: float) -> list[QueuedMessage]:
        """Take out what follows a failed message in its group: it must not be handled before it."""
        if self._caution is None:
            return []
        self._caution.failed(str(failed.group), delay, now)
        taken = [message for message in self.waiting if message.group == failed.group]
        if taken:
            self._caution.followed(str(failed.group))
        self.waiting = deque(message for message in self.waiting if message.group != failed.group)
        return taken

    def surplus(self, drain: float) -> list[QueuedMessage]:
        """Take out the waiting messages that cannot be finished within `drain` seconds."""
        keep = finishable(self._slots, len(self.running), self._p95, drain)
        kept, taken = list(self.waiting)[:keep], list(self.waiting)[keep:]
        self.waiting = deque(kept)
        return taken

    def clear(self) -> tuple[list[QueuedMessage], list[QueuedMessage]]:
        """Take out all messages: those in work, and those that wait."""
        working = [message for _, _, message, _ in self.running]
        waiting = list(self.waiting)
        self.running.clear()
        self.waiting.clear()
        return working, waiting
