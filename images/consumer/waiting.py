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
from typing import TYPE_CHECKING, Final, TypeAlias

from consumer.attempt import AttemptResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.delivery import Delivery

THROUGH: Final = frozenset(
    {AttemptResult.PROCESSED, AttemptResult.REJECTED, AttemptResult.DUPLICATE}
)
"""Results after which the message does not come again, so that its group goes on."""


class Line:
    """The deliveries of a standard queue, in the order of their arrival; the caller locks.

    Nothing holds a delivery back, so it is enough to keep those that wait. Its methods are those of
    GroupLines.
    """

    ordered: Final = False

    def __init__(self) -> None:
        """Start empty."""
        self._deliveries: deque[Delivery] = deque()

    def __len__(self) -> int:
        """Return how many deliveries wait."""
        return len(self._deliveries)

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Add deliveries behind all others."""
        self._deliveries.extend(deliveries)

    def put_back(self, deliveries: Sequence[Delivery]) -> None:
        """Add deliveries that were taken before all others."""
        self._deliveries.extendleft(sorted(deliveries, key=by_key, reverse=True))

    def take(self, limit: int, *, batch: bool = False) -> list[Delivery]:
        """Take out up to `limit` deliveries; one for a batch is like any other."""
        del batch
        return [self._deliveries.popleft() for _ in range(min(limit, len(self._deliveries)))]

    def in_hand(self, _delivery: Delivery) -> bool:
        """Return True for every delivery that was taken: none goes back with its group."""
        return True

    def finished(self, _delivery: Delivery, _result: AttemptResult | None) -> list[Delivery]:
        """Return no followers."""
        return []

    def withdraw(self, keep: int) -> list[Delivery]:
        """Take back what waits, all but the first `keep`."""
        waiting = list(self._deliveries)
        self._deliveries = deque(waiting[:keep])
        return waiting[keep:]


class GroupLines:
    """The deliveries of a FIFO queue, a line for each message group; the caller locks.

    A delivery waits, then it is in hand (`take`), then it is out (`finished`, `withdraw`). One
    without a group is a group of its own, so that nothing holds it back.
    """

    ordered: Final = True

    def __init__(self) -> None:
        """Start empty."""
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
        for delivery in sorted(deliveries, key=by_key, reverse=True):
            self._release(delivery)
            self._insert(delivery, first=True)

    def take(self, limit: int, *, batch: bool = False) -> list[Delivery]:
        """Take up to `limit` deliveries that may start now, in the order of their arrival.

        Of a group at most one is taken. For a handler of batches (`batch`), which
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
        if result in THROUGH:
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
            (delivery for queue in self._groups.values() for delivery in queue), key=by_key
        )
        kept, withdrawn = waiting[:keep], waiting[keep:]
        self._groups, self._free, self._count = {}, [], 0
        self.add(kept)
        return withdrawn

    def _group(self, delivery: Delivery) -> str | int:
        """Return what is handled in order: the message group, else the key."""
        group = delivery.received.group_id
        return delivery.key if group is None else group

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


Waiting: TypeAlias = Line | GroupLines
"""What a pool takes deliveries from. `ordered` says whether an end may concern other deliveries."""


def create_waiting(*, fifo: bool) -> Waiting:
    """Return the waiting deliveries, none yet, of a FIFO or a standard queue."""
    return GroupLines() if fifo else Line()


def by_key(delivery: Delivery) -> int:
    """Return what deliveries are sorted by: the order of their arrival."""
    return delivery.key
