"""Capacity: how many messages are handled at once, and how many may be received.

A receive counts towards the dead letters, whether or not a handler ever gets the message. So a
consumer receives no more than it can finish if it is stopped now. Pure, because the simulator uses
it as well.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Final

from shared.quotas import MAX_BATCH

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_PER_SLOT: Final = 2 * MAX_BATCH
"""Messages in hand for each one that is handled: a full receive, and another one during its
deletes. More would only take them from other consumers."""

KEPT_TIMES: Final = 100
"""How many durations the moving percentile looks back."""

PERCENTILE: Final = 0.95


def processes(workers: int | None, cpus: int, *, own_handler: bool) -> int:
    """Return how many processes run handlers; 0 stands for threads of the consumer itself.

    Unless WORKERS is set, a handler of the user's own gets a process for each CPU, and the default
    handler, which can do no harm, needs none.
    """
    if workers is not None:
        return workers
    return max(1, cpus) if own_handler else 0


def slots(workers: int | None, concurrency: int, cpus: int, *, own_handler: bool) -> int:
    """Return how many messages are handled at the same time: CONCURRENCY in each process."""
    return max(1, processes(workers, cpus, own_handler=own_handler)) * concurrency


def room(slots: int, in_hand: int, seconds_each: float, drain: float) -> int:
    """Return how many more messages may be received.

    All in hand have to be finished within `drain` seconds, one per slot excepted, if each of them
    takes `seconds_each`. Four slots, messages of 8 s and a drain of 30 s: each slot can finish
    three, so 12 in hand are the most; with 7 in hand there is room for 5.
    """
    return max(0, slots * max(1, _each_finishes(seconds_each, drain)) - in_hand)


def finishable(slots: int, running: int, seconds_each: float, seconds_left: float) -> int:
    """Return how many waiting messages a consumer that stops can still finish.

    One slot, one message running, messages of 3 s and 10 s left: three in all, so two more.
    """
    if seconds_left <= 0:
        return 0
    return max(0, slots * _each_finishes(seconds_each, seconds_left) - running)


def receive_size(slots: int, in_hand: int, room: int, limit: int) -> int:
    """Return how many messages to ask for now; 0 means to wait until more are finished.

    An idle slot gets work at once. While all are busy, a receive waits until it is worth its
    request: for ten messages, or for half of what may be in hand.
    """
    size = min(MAX_BATCH, room, limit)
    if in_hand < slots or size == limit:
        return size
    return size if size >= min(MAX_BATCH, (in_hand + room) // 2) else 0


class HandlingTimes:
    """The moving 95th percentile of how long handlers took, over the last hundred messages."""

    def __init__(self, first: float) -> None:
        """Expect `first` seconds until something was measured."""
        self._first = first
        self._seconds: deque[float] = deque(maxlen=KEPT_TIMES)

    def add(self, seconds: float) -> None:
        """Add the duration of one message."""
        self._seconds.append(seconds)

    def extend(self, seconds: Iterable[float]) -> None:
        """Add the durations of several messages, in the order of their ends."""
        self._seconds.extend(seconds)

    def p95(self) -> float:
        """Return the duration that 95 of 100 messages do not exceed.

        Of 20 durations it is the 19th in ascending order, of one it is that one.
        """
        times = sorted(self._seconds)
        return times[math.ceil(PERCENTILE * len(times)) - 1] if times else self._first


def _each_finishes(seconds_each: float, seconds: float) -> int:
    """Return how many messages, one after another, a slot finishes in this time."""
    if seconds_each * MOST_PER_SLOT <= seconds:
        return MOST_PER_SLOT
    return math.floor(seconds / seconds_each)
