"""A simulated FIFO queue: message groups in their order, each held back while it is in flight."""

from __future__ import annotations

from collections import Counter, deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from tidemill.simulator.queues.message_counts import RESOLUTION
from tidemill.simulator.queues.queued_message import QueuedMessage
from tidemill.simulator.queues.work_queue import NEVER, WorkQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tidemill.simulator.queues.queue_attributes import QueueAttributes
    from tidemill.simulator.queues.queued_message import MessageKind

EXPIRY_EVERY: Final = 3600.0
"""Seconds between two searches for messages whose retention is over."""


class FifoQueue(WorkQueue):
    """A FIFO queue with its dead-letter queue.

    While a message of a group is in flight, no other one of the group is received. A receive takes
    as many messages as possible of the group whose next message is the oldest, then of the next
    group (SQS Developer Guide, "FIFO queue delivery logic"). A message that returns keeps its
    place. Deduplication is left out: each message has an id of its own.
    """

    in_order = True
    counted_receives = NEVER

    def __init__(
        self,
        arrivals: Iterator[float],
        start: float,
        kinds: Iterator[MessageKind] | None,
        attributes: QueueAttributes,
        group: Callable[[], int],
    ) -> None:
        """Begin empty; `group` returns the number of the next message's group."""
        super().__init__(arrivals, start, kinds, attributes)
        self._group = group
        self._groups: dict[int, deque[QueuedMessage]] = {}
        self._held: Counter[int] = Counter()
        self._free: list[tuple[int, int]] = []  # heap: a group's first waiting number, the group
        self._waiting = 0
        self._numbers = 0
        self._next_expiry = start + EXPIRY_EVERY

    def advance(self, now: float) -> None:
        """Add the messages that are sent until now to their groups, and expire old ones."""
        super().advance(now)
        for index in range(self._head, self._arrived):
            message = QueuedMessage(self._times[index], 0, number=self._numbers)
            message.group = self._group()
            if self._kinds_ahead:
                message.kind = self._kinds_ahead[index]
            if self.ages is not None:
                self.ages.add(message.sent)
            self._numbers += 1
            self._wait(message)
        self._head = self._arrived
        if now >= self._next_expiry:
            self._next_expiry = now + EXPIRY_EVERY
            self._expire(now)

    def visible(self) -> int:
        """Return how many messages were visible at the last `advance`, in blocked groups, too."""
        return self._waiting

    def receivable(self) -> bool:
        """Return whether a group with visible messages has none in flight."""
        free = self._free
        while free and not self._is_free(*free[0]):
            heappop(free)
        return bool(free)

    def oldest(self) -> float:
        """Return when the oldest visible message was sent, infinity when there is none."""
        return min((waiting[0].sent for waiting in self._groups.values()), default=NEVER)

    def receive(self, now: float, limit: int) -> list[QueuedMessage]:
        """Receive up to `limit` messages of groups that have none in flight."""
        self.advance(now)
        self.touch(now)
        self.counts.requests += 1
        taken: list[QueuedMessage] = []
        while len(taken) < limit and self.receivable():
            _, group = heappop(self._free)
            waiting, before = self._groups[group], len(taken)
            while waiting and len(taken) < limit:
                message = waiting.popleft()
                self._waiting -= 1
                if self._survives(now, message):
                    taken.append(message)
            if not waiting:
                del self._groups[group]
            if len(taken) > before:
                self._held[group] = len(taken) - before
            self._release(group)
        self.in_flight += len(taken)
        return taken

    def delete(self, now: float, message: QueuedMessage) -> None:
        """Delete a message that was in flight and is processed; its group may go on."""
        super().delete(now, message)
        self._held[message.group] -= 1
        self._release(message.group)

    def return_messages(self, now: float, messages: Sequence[QueuedMessage]) -> None:
        """Make messages that were in flight visible again, in their places."""
        self.advance(now)
        self.in_flight -= len(messages)
        for message in messages:
            self._held[message.group] -= 1
            self._wait(message)
            self._release(message.group)
        self.touch(now)

    def _wait(self, message: QueuedMessage) -> None:
        """Put a message into its place among those of its group."""
        waiting = self._groups.setdefault(message.group, deque())
        later = []
        while waiting and waiting[-1].number > message.number:
            later.append(waiting.pop())
        waiting.append(message)
        waiting.extend(reversed(later))
        self._waiting += 1
        if waiting[0] is message:
            self._release(message.group)

    def _release(self, group: int) -> None:
        """Let a group go on, unless one of its messages is in flight or none is left."""
        if self._held.get(group):
            return
        self._held.pop(group, None)
        waiting = self._groups.get(group)
        if waiting:
            heappush(self._free, (waiting[0].number, group))

    def _is_free(self, number: int, group: int) -> bool:
        """Return whether an entry of the heap is still right."""
        waiting = self._groups.get(group)
        if not waiting or waiting[0].number != number:
            return False
        return group not in self._held

    def _survives(self, now: float, message: QueuedMessage) -> bool:
        """Return whether a message is received, and has not expired or become a dead letter."""
        if message.sent < now - self.attributes.retention:
            self.counts.expired += 1
        elif message.receives == (self.attributes.max_receive_count or NEVER):
            self.counts.count_dead(message)
            self.emptied_at = now
        else:
            if not message.receives:
                self.counts.first_waits[int((now - message.sent) / RESOLUTION)] += 1
            message.receives += 1
            message.received_at = now
            return True
        if self.ages is not None:
            self.ages.remove(message.sent)
        return False

    def _expire(self, now: float) -> None:
        """Delete the visible messages whose retention is over."""
        since = now - self.attributes.retention
        for group, waiting in list(self._groups.items()):
            while waiting and waiting[0].sent < since:
                waiting.popleft()
                self._waiting -= 1
                self.counts.expired += 1
            if not waiting:
                del self._groups[group]
            self._release(group)
