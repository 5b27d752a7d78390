"""Waiting: the deliveries that no handler has yet, and which of them may start.

On a standard queue they start in the order of their arrival. On a FIFO queue the order of a message
group is kept: one message of a group is in hand at a time, and the next one starts when that one is
through. When a message fails, its followers go back to the queue unhandled, so that the failed
message is received before them again. Pure: no clock, no calls.

docs/fifo.md explains the rules and has the sources.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING, Final

from consumer.attempt import AttemptResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.delivery import Delivery

THROUGH: Final = frozenset(
    {AttemptResult.PROCESSED, AttemptResult.REJECTED, AttemptResult.DUPLICATE}
)
"""Results after which the message does not come again, so that its group goes on."""


class Waiting:
    """Deliveries in the order of their keys; the caller locks, no method does.

    A delivery waits, then it is in hand (`take`), then it is out (`finished`, `withdraw`). On a
    standard queue each delivery is a group of its own, so nothing holds it back.
    """

    def __init__(self, *, fifo: bool = False) -> None:
        """Start empty; keep the order of message groups if `fifo`."""
        self._fifo = fifo
        self._groups: dict[str | int, deque[Delivery]] = {}
        self._free: list[tuple[int, str | int]] = []  # heap: first waiting key of a free group
        self._in_hand: dict[str | int, dict[int, Delivery]] = {}
        self._count = 0

    def __len__(self) -> int:
        """Return how many deliveries wait."""
        return self._count

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Add deliveries that were just received; their keys are higher than all others."""
        for delivery in deliveries:
            self._insert(delivery, first=False)

    def put_back(self, deliveries: Sequence[Delivery]) -> None:
        """Let deliveries in hand, which no handler has begun, wait again before all others."""
        for delivery in sorted(deliveries, key=_key, reverse=True):
            self._release(delivery)
            self._insert(delivery, first=True)

    def take(self, limit: int, *, batch: bool = False) -> list[Delivery]:
        """Take up to `limit` deliveries that may start now, in the order of their arrival.

        Of a FIFO queue's group at most one is taken. For a handler of batches (`batch`), which
        gets its messages in order, those that follow it may come with it: of A1 A2 B1 A3, a
        `limit` of 3 takes A1 B1, or A1 A2 B1 as a batch.
        """
        taken: dict[int, Delivery] = {}
        while self._free and len(taken) < limit:
            key, group = heapq.heappop(self._free)
            queue = self._groups.get(group)
            held = self._in_hand.get(group, {})
            if not queue or queue[0].key != key or (held and not batch) or held.keys() - taken:
                continue  # the group has changed since; it has a newer entry, or is in hand
            taken[key] = queue.popleft()
            self._in_hand.setdefault(group, {})[key] = taken[key]
            self._count -= 1
            if not queue:
                del self._groups[group]
            elif batch:
                heapq.heappush(self._free, (queue[0].key, group))
        return list(taken.values())

    def in_hand(self, delivery: Delivery) -> bool:
        """Return whether the delivery was taken and is neither finished nor sent back."""
        return delivery.key in self._in_hand.get(self._group(delivery), ())

    def finished(self, delivery: Delivery, result: AttemptResult | None) -> list[Delivery]:
        """End a delivery in hand; return its followers, in order, if they have to go back.

        Without a result no handler got it, because it is not this consumer's message any more.
        Those of a batch are finished in order, and one that was returned here is not in hand any
        more: whatever its handler says of it does not count. Of a batch A1 A2 A3 with A2 failed,
        `finished` with A2 returns A3 and what waits behind it.
        """
        group = self._group(delivery)
        self._release(delivery)
        if not self._fifo or result in THROUGH:
            return []
        later = self._in_hand.get(group, {})
        followers = [later[key] for key in sorted(later) if key > delivery.key]
        for follower in followers:
            self._release(follower)
        waiting = self._groups.pop(group, deque())
        self._count -= len(waiting)
        return [*followers, *waiting]

    def withdraw(self, keep: int) -> list[Delivery]:
        """Take back what waits, all but the first `keep`, in the order of arrival."""
        waiting = sorted(
            (delivery for queue in self._groups.values() for delivery in queue), key=_key
        )
        kept, withdrawn = waiting[:keep], waiting[keep:]
        self._groups, self._free, self._count = {}, [], 0
        self.add(kept)
        return withdrawn

    def _group(self, delivery: Delivery) -> str | int:
        """Return what is handled in order: the message group of a FIFO queue, else the key."""
        if self._fifo and delivery.received.group_id is not None:
            return delivery.received.group_id
        return delivery.key

    def _insert(self, delivery: Delivery, *, first: bool) -> None:
        group = self._group(delivery)
        queue = self._groups.setdefault(group, deque())
        if first:
            queue.appendleft(delivery)
        else:
            queue.append(delivery)
        self._count += 1
        if queue[0] is delivery and group not in self._in_hand:
            heapq.heappush(self._free, (delivery.key, group))

    def _release(self, delivery: Delivery) -> None:
        """Take a delivery out of hand; its group is free when none of it is in hand any more."""
        group = self._group(delivery)
        held = self._in_hand.get(group)
        if held is None or held.pop(delivery.key, None) is None:
            return
        if not held:
            del self._in_hand[group]
            if queue := self._groups.get(group):
                heapq.heappush(self._free, (queue[0].key, group))


def _key(delivery: Delivery) -> int:
    return delivery.key
