"""A simulated SQS queue with its dead-letter queue, and how long messages wait in it."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK = 4096
"""The number of arrivals that are read ahead; it limits the memory of a long run."""

RESOLUTION = 0.1
"""Waits are counted in steps of 0.1 s, because a list of all waits would need too much memory."""

NEVER = float("inf")


class QueuedMessage(NamedTuple):
    """A message that has been received; `receives` counts the present receive, too."""

    sent: float
    receives: int
    poison: bool


@dataclass(frozen=True, slots=True)
class QueueAttributes:
    """Attributes of a queue, by SQS's names.

    Attributes:
        max_receive_count: receives after which a message is moved to the dead-letter queue; None
            if there is no such queue.
        visibility_timeout: seconds for which a received message stays in flight.
        retention: seconds for which a message is kept (MessageRetentionPeriod).
    """

    max_receive_count: int | None
    visibility_timeout: int
    retention: float


@dataclass(slots=True)
class MessageCounts:
    """Counts of a queue's messages by their end; the numbers only grow.

    Attributes:
        sent: messages sent.
        processed: messages processed and deleted.
        dead: messages moved to the dead-letter queue.
        expired: messages deleted at the end of their retention.
        requests: receives and deletes by consumers.
        first_waits: the number of messages for each wait until their first receive, in tenths of a
            second: {42: 3} is three messages that waited 4.2 s.
        waits: the same for the waits until they were processed.
    """

    sent: int = 0
    processed: int = 0
    dead: int = 0
    expired: int = 0
    requests: int = 0
    first_waits: Counter[int] = field(default_factory=Counter)
    waits: Counter[int] = field(default_factory=Counter)


class WorkQueue:
    """A standard queue with its dead-letter queue.

    Returned messages are received before messages that were never received: they are older.

    Attributes:
        attributes: the attributes of the queue.
        counts: the counts of its messages; `close` completes the waits.
        in_flight: the number of messages in flight.
        emptied_at: when the last message was deleted or dead-lettered, in epoch seconds.
        first_access: the first access since the last sample, infinity without one.
        last_access: the last access since the last sample, minus infinity without one.
    """

    def __init__(
        self,
        arrivals: Iterator[float],
        start: float,
        poison: Iterator[bool] | None,
        attributes: QueueAttributes,
    ) -> None:
        """Begin empty.

        Args:
            arrivals: when messages are sent, in seconds since `start`, never decreasing.
            start: epoch seconds.
            poison: for each message, whether it is a poison message; None if all are valid.
            attributes: the attributes of the queue.
        """
        self.attributes = attributes
        self.counts = MessageCounts()
        self._arrivals = arrivals
        self._start = start
        self._poison = poison
        self._retention = attributes.retention
        self._max_receives = attributes.max_receive_count
        self._times: list[float] = []
        self._poisoned: list[bool] = []
        self._head = 0
        self._arrived = 0
        self._all_loaded = False
        self._returned: deque[QueuedMessage] = deque()
        self._both_waits: Counter[int] = Counter()
        self.in_flight = 0
        self.emptied_at = -NEVER
        self.first_access = NEVER
        self.last_access = -NEVER
        self._load()

    @property
    def all_valid(self) -> bool:
        """Return whether no message is poison."""
        return self._poison is None

    def next_arrival(self) -> float:
        """Return when the next message is sent, infinity when none is left."""
        return self._times[self._arrived] if self._arrived < len(self._times) else NEVER

    def advance(self, now: float) -> None:
        """Add the messages that are sent until now, and expire those that are too old."""
        times = self._times
        if self._arrived < len(times) and times[self._arrived] <= now:
            self.touch(times[self._arrived])
            while not self._all_loaded and times[-1] <= now:
                self._load()
            before = self._arrived
            self._arrived = bisect_right(times, now, before)
            self.counts.sent += self._arrived - before
            self.touch(times[self._arrived - 1])
        if self._head < self._arrived and times[self._head] < now - self._retention:
            kept = bisect_right(times, now - self._retention, self._head, self._arrived)
            self.counts.expired += kept - self._head
            self._head = kept

    def touch(self, at: float) -> None:
        """Record an access to the queue."""
        # No min and max here: this runs for every receive, and they take twice as long.
        if at < self.first_access:  # noqa: PLR1730
            self.first_access = at
        if at > self.last_access:  # noqa: PLR1730
            self.last_access = at

    def visible(self) -> int:
        """Return how many messages were visible at the last `advance`."""
        return self._arrived - self._head + len(self._returned)

    def left_over(self) -> int:
        """Return how many messages are in the queue, visible or in flight."""
        return self.visible() + self.in_flight

    def oldest(self) -> float:
        """Return when the oldest visible message was sent, infinity when there is none."""
        fresh = self._times[self._head] if self._head < self._arrived else NEVER
        return min(fresh, self._returned[0].sent) if self._returned else fresh

    def close(self) -> None:
        """Complete the counts of waits."""
        self.counts.first_waits.update(self._both_waits)
        self.counts.waits.update(self._both_waits)
        self._both_waits.clear()

    def is_over(self) -> bool:
        """Return whether every message has been sent and the queue is empty."""
        return self._all_loaded and self._arrived == len(self._times) and not self.left_over()

    def consume(self, now: float, limit: int) -> int:
        """Receive up to `limit` valid messages and process them at once; return their number."""
        self.advance(now)
        if self._returned or self._poison is not None:
            messages = self.receive(now, limit)
            self.acknowledge(now, messages)
            return len(messages)
        self.touch(now)
        counts = self.counts
        counts.requests += 1
        head = self._head
        taken = min(limit, self._arrived - head)
        if taken:
            self._head = head + taken
            scale = 1 / RESOLUTION
            waits = [int((now - sent) * scale) for sent in self._times[head : head + taken]]
            self._both_waits.update(waits)
            counts.processed += taken
            counts.requests += 1
            self.emptied_at = now
        return taken

    def receive(self, now: float, limit: int) -> list[QueuedMessage]:
        """Receive up to `limit` messages; those received too often become dead letters instead."""
        self.advance(now)
        self.touch(now)
        counts = self.counts
        counts.requests += 1
        taken: list[QueuedMessage] = []
        while self._returned and len(taken) < limit:
            message = self._returned.popleft()
            if message.sent < now - self._retention:
                counts.expired += 1
            elif self._max_receives is not None and message.receives >= self._max_receives:
                counts.dead += 1
                self.emptied_at = now
            else:
                taken.append(QueuedMessage(message.sent, message.receives + 1, message.poison))
        end = min(self._arrived, self._head + limit - len(taken))
        for index in range(self._head, end):
            sent = self._times[index]
            counts.first_waits[int((now - sent) / RESOLUTION)] += 1
            taken.append(QueuedMessage(sent, 1, self._poison is not None and self._poisoned[index]))
        self._head = end
        self.in_flight += len(taken)
        return taken

    def acknowledge(self, now: float, messages: Sequence[QueuedMessage]) -> list[QueuedMessage]:
        """Delete the valid messages; return the invalid ones, which stay in flight."""
        counts = self.counts
        failed = [message for message in messages if message.poison]
        for message in messages:
            if not message.poison:
                counts.waits[int((now - message.sent) / RESOLUTION)] += 1
        done = len(messages) - len(failed)
        counts.processed += done
        self.emptied_at = now
        self.in_flight -= done
        counts.requests += bool(done)
        self.touch(now)
        return failed

    def return_messages(self, now: float, messages: Sequence[QueuedMessage]) -> None:
        """Make messages that were in flight visible again at once."""
        self.in_flight -= len(messages)
        self._returned.extend(messages)
        self.touch(now)

    def _load(self) -> None:
        if self._head > CHUNK:
            del self._times[: self._head]
            del self._poisoned[: self._head]
            self._arrived -= self._head
            self._head = 0
        start = self._start
        fresh = [start + at for at in islice(self._arrivals, CHUNK)]
        self._times += fresh
        if self._poison is not None:
            self._poisoned += islice(self._poison, len(fresh))
        self._all_loaded = len(fresh) < CHUNK
