"""A simulated standard queue of SQS with its dead-letter queue."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from itertools import islice
from typing import TYPE_CHECKING

from tidemill.scaling.metrics.queue import UNCOUNTED_RECEIVES
from tidemill.simulator.queues.message_counts import RESOLUTION, MessageCounts
from tidemill.simulator.queues.queued_message import MessageKind, QueuedMessage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tidemill.simulator.queues.message_ages import MessageAges
    from tidemill.simulator.queues.queue_attributes import QueueAttributes

CHUNK = 4096
"""The number of arrivals that are read ahead; it limits the memory of a long run."""

NEVER = float("inf")


class WorkQueue:
    """A standard queue with its dead-letter queue.

    Returned messages are received before messages that were never received: they are older. One
    that was received three times is at the back of the queue instead (SQS Developer Guide,
    "Available CloudWatch metrics for Amazon SQS").

    Attributes:
        attributes: the attributes of the queue.
        counts: the counts of its messages; `close` completes the waits.
        ages: the ages of received messages; None if they are not needed.
        in_flight: the number of messages in flight.
        in_order: whether messages of one group are received only in their order.
        counted_receives: receives from which on a message's age does not count any more.
        emptied_at: when the last message was deleted or dead-lettered, in epoch seconds.
        first_access: the first access since the last sample, infinity without one.
        last_access: the last access since the last sample, minus infinity without one.
    """

    in_order = False
    counted_receives: float = UNCOUNTED_RECEIVES

    def __init__(
        self,
        arrivals: Iterator[float],
        start: float,
        kinds: Iterator[MessageKind] | None,
        attributes: QueueAttributes,
    ) -> None:
        """Begin empty.

        Args:
            arrivals: when messages are sent, in seconds since `start`, never decreasing.
            start: epoch seconds.
            kinds: what each message is; None if all are valid.
            attributes: the attributes of the queue.
        """
        self.attributes = attributes
        self.counts = MessageCounts()
        self._arrivals = arrivals
        self._start = start
        self._kinds = kinds
        self._retention = attributes.retention
        self._max_receives = attributes.max_receive_count
        self._times: list[float] = []
        self._kinds_ahead: list[MessageKind] = []
        self._head = 0
        self._arrived = 0
        self._all_loaded = False
        self._returned: deque[QueuedMessage] = deque()
        self._at_the_back: deque[tuple[int, QueuedMessage]] = deque()
        self.ages: MessageAges | None = None
        self._both_waits: Counter[int] = Counter()
        self.in_flight = 0
        self.emptied_at = -NEVER
        self.first_access = NEVER
        self.last_access = -NEVER
        self._load()

    @property
    def all_valid(self) -> bool:
        """Return whether all messages are valid."""
        return self._kinds is None

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
        return self._arrived - self._head + len(self._returned) + len(self._at_the_back)

    def receivable(self) -> bool:
        """Return whether a receive would return messages, as of the last `advance`."""
        return self.visible() > 0

    def left_over(self) -> int:
        """Return how many messages are in the queue, visible or in flight."""
        return self.visible() + self.in_flight

    def oldest(self) -> float:
        """Return when the oldest visible message was sent, infinity when there is none."""
        fresh = self._times[self._head] if self._head < self._arrived else NEVER
        return min(fresh, self._returned[0].sent) if self._returned else fresh

    def oldest_age(self, now: float) -> int | None:
        """Return the oldest message's age in whole seconds; None if none counts or if not known."""
        if self.ages is None:
            return None
        fresh = self._times[self._head] if self._head < self._arrived else NEVER
        oldest = min(fresh, self.ages.oldest(now - self._retention))
        return None if oldest == NEVER else int(now - oldest)

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
        if self._returned or self._at_the_back or self._kinds is not None:
            messages = self.receive(now, limit)
            for message in messages:
                self.delete(now, message)
            self.counts.requests += bool(messages)
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
            taken += self._receive_again(now, self._returned.popleft())
        while len(taken) < limit:
            before = self._arrived - self._head
            if self._at_the_back:  # those that were sent since its return come after it
                before += self._at_the_back[0][0] - counts.sent
            if before > 0:
                taken += self._receive_first(now, min(before, limit - len(taken)))
            elif self._at_the_back:
                taken += self._receive_again(now, self._at_the_back.popleft()[1])
            else:
                break
        self.in_flight += len(taken)
        return taken

    def delete(self, now: float, message: QueuedMessage) -> None:
        """Delete a message that was in flight and is processed."""
        counts = self.counts
        counts.waits[int((now - message.sent) / RESOLUTION)] += 1
        counts.processed += 1
        if self.ages is not None and message.receives < self.counted_receives:
            self.ages.remove(message.sent)
        self.emptied_at = now
        self.in_flight -= 1
        self.touch(now)

    def return_messages(self, now: float, messages: Sequence[QueuedMessage]) -> None:
        """Make messages that were in flight visible again at once."""
        self.advance(now)
        self.in_flight -= len(messages)
        for message in messages:
            if message.receives < UNCOUNTED_RECEIVES:
                self._returned.append(message)
            else:
                self._at_the_back.append((self.counts.sent, message))
        self.touch(now)

    def _receive_first(self, now: float, count: int) -> list[QueuedMessage]:
        """Return the next messages that were never received."""
        taken = []
        kinds, first_waits, ages = self._kinds_ahead, self.counts.first_waits, self.ages
        for index in range(self._head, self._head + count):
            sent = self._times[index]
            first_waits[int((now - sent) / RESOLUTION)] += 1
            message = QueuedMessage(sent, received_at=now)
            if kinds:
                message.kind = kinds[index]
            taken.append(message)
            if ages is not None:
                ages.add(sent)
        self._head += count
        return taken

    def _receive_again(self, now: float, message: QueuedMessage) -> list[QueuedMessage]:
        """Return the message received again, or nothing if it expired or became a dead letter."""
        receives = message.receives
        taken = []
        if message.sent < now - self._retention:
            self.counts.expired += 1
        elif self._max_receives is not None and receives >= self._max_receives:
            self.counts.count_dead(message)
            self.emptied_at = now
        else:
            message.receives += 1
            message.received_at = now
            taken.append(message)
        ended = not taken or receives + 1 == UNCOUNTED_RECEIVES
        if self.ages is not None and ended and receives < UNCOUNTED_RECEIVES:
            self.ages.remove(message.sent)
        return taken

    def _load(self) -> None:
        if self._head > CHUNK:
            del self._times[: self._head]
            del self._kinds_ahead[: self._head]
            self._arrived -= self._head
            self._head = 0
        start = self._start
        fresh = [start + at for at in islice(self._arrivals, CHUNK)]
        self._times += fresh
        if self._kinds is not None:
            self._kinds_ahead += islice(self._kinds, len(fresh))
        self._all_loaded = len(fresh) < CHUNK
