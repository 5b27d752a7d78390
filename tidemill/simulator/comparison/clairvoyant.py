"""Clairvoyant: lower bounds for wait and cost of a policy that knows all arrivals in advance.

The two bounds are independent: a policy may be unable to reach both.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.scaling.times.catalogue import least_of
from tidemill.simulator.queues.message_counts import RESOLUTION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.cycle import Rhythm
    from tidemill.scaling.times.catalogue import Times


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least wait and the least cost.

    Attributes:
        waits: the number of messages for each least wait, in tenths of a second. Mean and maximum
            are bounds; the percentiles are those of a fleet that receives messages in their order.
        billed_seconds: the least number of billed instance seconds.
    """

    waits: Counter[int]
    billed_seconds: float


def bounds(arrivals: Iterable[float], rhythm: Rhythm, instances: int, times: Times) -> Bounds:
    """Return the bounds for a maximum number of instances, without the time of handling.

    The wait: even if all instances are always ready, they receive at most `instances` times
    `messages_per_poll` messages in a cycle. A cycle is the rest between two polls or, if that is
    shorter, the shortest boot of an instance that is ordered after the last poll of the one that it
    replaces. So a message is received at its sending or later, and at least one cycle after the
    message that is this number of places before it: with 4 instances of 10 messages per poll,
    message 41 is received at least one cycle after message 1. Workers that never rest have no such
    bound.

    The cost: an instance of n polls is billed for its boot and n - 1 rests, and for the shortest
    time that is billed at all. The n for which a poll costs least gives the bound.

    Args:
        arrivals: when messages are sent, in seconds, never decreasing.
        rhythm: the rhythm of the workers.
        instances: the group's maximum.
        times: the times of AWS.
    """
    quota = rhythm.messages_per_poll
    if not instances:  # nobody receives anything
        return Bounds(Counter(), 0.0)
    preparing = least_of(times.until_work())
    launching = least_of((times.reaction, *times.until_running()))
    cycle = min(rhythm.poll_wait, launching + preparing)
    recent: deque[float] = deque(maxlen=quota * instances)
    waits: Counter[int] = Counter()
    sent = 0
    for at in arrivals:
        received = at
        if len(recent) == recent.maxlen:
            received = max(at, recent[0] + cycle)
        recent.append(received)
        waits[int((received - at) / RESOLUTION)] += 1
        sent += 1
    poll = _cheapest_poll(rhythm.poll_wait, preparing, times.billed_at_least.mean)
    return Bounds(waits, math.ceil(sent / quota) * poll)


def _cheapest_poll(rest: float, boot: float, least: float) -> float:
    """Return the fewest billed seconds per poll.

    Once an instance runs longer than the shortest bill, its seconds per poll only rise or fall
    towards `rest`. So it is enough to compare the few polls before that, and `rest` itself. With a
    boot of 34 s, a rest of 60 s and a shortest bill of 60 s: one poll costs 60 s, two polls share
    94 s, so the answer is 47.
    """
    if not rest:
        return 0.0
    few = range(1, math.ceil(least / rest) + 3)
    return min([rest, *(max(least, boot + (polls - 1) * rest) / polls for polls in few)])
