"""A simulated SQS queue: what waits, what is hidden, what is dead, and how long all waited."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK = 4096
"""Arrivals that are looked up ahead: what keeps memory flat however long a run is."""

RESOLUTION = 0.1
"""Waits are counted in steps of this many seconds, so that memory does not grow with messages."""

NEVER = float("inf")


class Message(NamedTuple):
    """A message in somebody's hand, or back from there; `receives` includes the one in hand."""

    sent: float
    receives: int
    poison: bool


class WorkQueue:
    """A standard queue with its dead-letter queue.

    What comes back is received before what was never received: it is older. Counts of `received`,
    `processed`, `dead` and `expired` only grow; `in_flight` is what consumers hold.
    """

    def __init__(
        self,
        arrivals: Iterator[float],
        start: float,
        poison: Iterator[bool] | None,
        max_receives: int | None,
        retention: float,
    ) -> None:
        """Begin empty.

        Args:
            arrivals: when messages are sent, in seconds since `start`, never decreasing.
            start: epoch seconds.
            poison: for each of them whether no consumer can process it; None when all are sound.
            max_receives: receives after which a message goes to the dead-letter queue, or None.
            retention: seconds that a message is kept.
        """
        self._arrivals = arrivals
        self._start = start
        self._poison = poison
        self._max_receives = max_receives
        self._retention = retention
        self._times: list[float] = []
        self._sound: list[bool] = []
        self._head = 0
        self._arrived = 0
        self._all_loaded = False
        self._back: deque[Message] = deque()
        self.sent = 0
        self.in_flight = 0
        self.receives = 0
        self.requests = 0
        self.processed = 0
        self.dead = 0
        self.expired = 0
        self.first_waits: Counter[int] = Counter()
        self._both_waits: Counter[int] = Counter()
        self.waits: Counter[int] = Counter()
        self.emptied_at = -NEVER
        self.first_access = NEVER
        self.last_access = -NEVER
        self._load()

    def next_arrival(self) -> float:
        """Return when the next message is sent, infinity when none is left."""
        return self._times[self._arrived] if self._arrived < len(self._times) else NEVER

    def advance(self, now: float) -> None:
        """Let the messages arrive that are sent until now."""
        times = self._times
        if self._arrived < len(times) and times[self._arrived] <= now:
            self.touch(times[self._arrived])
            while not self._all_loaded and times[-1] <= now:
                self._load()
            before = self._arrived
            self._arrived = bisect_right(times, now, before)
            self.sent += self._arrived - before
            self.touch(times[self._arrived - 1])
        if self._head < self._arrived and times[self._head] < now - self._retention:
            kept = bisect_right(times, now - self._retention, self._head, self._arrived)
            self.expired += kept - self._head
            self._head = kept

    def touch(self, at: float) -> None:
        """Take note that somebody used the queue at this moment."""
        # Compared by hand: this runs for every receive, and min and max take twice as long.
        if at < self.first_access:  # noqa: PLR1730
            self.first_access = at
        if at > self.last_access:  # noqa: PLR1730
            self.last_access = at

    def visible(self) -> int:
        """Return how many messages a receive could bring, as of the last `advance`."""
        return self._arrived - self._head + len(self._back)

    def left_over(self) -> int:
        """Return how many messages are in the queue, seen or not."""
        return self.visible() + self.in_flight

    def oldest(self) -> float:
        """Return when the oldest visible message was sent, infinity when there is none."""
        fresh = self._times[self._head] if self._head < self._arrived else NEVER
        return min(fresh, self._back[0].sent) if self._back else fresh

    def close(self) -> None:
        """Bring the counts of waits up to date."""
        self.first_waits.update(self._both_waits)
        self.waits.update(self._both_waits)
        self._both_waits.clear()

    def is_over(self) -> bool:
        """Tell whether all that is ever sent has arrived and left again."""
        return self._all_loaded and self._arrived == len(self._times) and not self.left_over()

    def consume(self, now: float, limit: int) -> int:
        """Receive and process at once up to `limit` sound messages; return how many."""
        self.advance(now)
        if self._back or self._poison is not None:
            messages = self.receive(now, limit)
            self.settle(now, messages)
            return len(messages)
        self.touch(now)
        self.requests += 1
        head = self._head
        taken = min(limit, self._arrived - head)
        if taken:
            self._head = head + taken
            scale = 1 / RESOLUTION
            waits = [int((now - sent) * scale) for sent in self._times[head : head + taken]]
            self._both_waits.update(waits)
            self.receives += taken
            self.processed += taken
            self.emptied_at = now
            self.requests += 1
        return taken

    def receive(self, now: float, limit: int) -> list[Message]:
        """Take up to `limit` messages out of sight; those received too often die instead."""
        self.advance(now)
        self.touch(now)
        self.requests += 1
        taken: list[Message] = []
        while self._back and len(taken) < limit:
            message = self._back.popleft()
            if message.sent < now - self._retention:
                self.expired += 1
            elif self._max_receives is not None and message.receives >= self._max_receives:
                self.dead += 1
                self.emptied_at = now
            else:
                taken.append(Message(message.sent, message.receives + 1, message.poison))
        end = min(self._arrived, self._head + limit - len(taken))
        for index in range(self._head, end):
            sent = self._times[index]
            self.first_waits[int((now - sent) / RESOLUTION)] += 1
            taken.append(Message(sent, 1, self._poison is not None and not self._sound[index]))
        self._head = end
        self.in_flight += len(taken)
        self.receives += len(taken)
        return taken

    def settle(self, now: float, messages: Sequence[Message]) -> list[Message]:
        """Delete what a consumer could process; return what it could not, still in flight."""
        failed = [message for message in messages if message.poison]
        for message in messages:
            if not message.poison:
                self.waits[int((now - message.sent) / RESOLUTION)] += 1
        done = len(messages) - len(failed)
        self.processed += done
        self.emptied_at = now
        self.in_flight -= done
        self.requests += bool(done)
        self.touch(now)
        return failed

    def give_back(self, now: float, messages: Sequence[Message]) -> None:
        """Let messages that were in flight be seen again."""
        self.in_flight -= len(messages)
        self._back.extend(messages)
        self.touch(now)

    def _load(self) -> None:
        if self._head > CHUNK:
            del self._times[: self._head]
            del self._sound[: self._head]
            self._arrived -= self._head
            self._head = 0
        start = self._start
        fresh = [start + at for at in islice(self._arrivals, CHUNK)]
        self._times += fresh
        if self._poison is not None:
            self._sound += [not bad for bad in islice(self._poison, len(fresh))]
        self._all_loaded = len(fresh) < CHUNK
