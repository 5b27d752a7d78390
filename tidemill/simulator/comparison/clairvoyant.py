"""What no policy can beat: the least wait, and the least cost, for one who knows all arrivals.

Both are bounds, each by itself; a policy that reaches both at once need not exist.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.simulator.queue import RESOLUTION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.cycle import Rhythm
    from tidemill.simulator.times import Times


@dataclass(frozen=True, slots=True)
class Bounds:
    """`waits` counts, in tenths of a second, how long messages wait at the least.

    Their mean and their maximum are bounds; the percentiles between are those of a fleet that
    takes messages in their order. `billed_seconds` of instances are needed at the least.
    """

    waits: Counter[int]
    billed_seconds: float


def bounds(arrivals: Iterable[float], rhythm: Rhythm, instances: int, times: Times) -> Bounds:
    """Return the bounds for so many instances at most; the time that handling takes is left out.

    The wait: whoever stands ready all the time takes at most `instances` times
    `messages_per_poll` messages within a cycle. A cycle is the rest between two polls, or, where
    that is shorter, the boot of an instance that replaces one which has just polled. So message k
    is received no earlier than it is sent, and no earlier than one cycle after the message so many
    places before it. Workers that never rest have no such bound: they may take it at once.

    The cost: an instance of n polls is billed for its boot and n - 1 rests, and for the shortest
    time that is billed at all. The cheapest n decides what a poll costs at the least.

    Args:
        arrivals: when messages are sent, in seconds, never decreasing.
        rhythm: the worker's.
        instances: the group's maximum.
        times: AWS's.
    """
    quota = rhythm.messages_per_poll
    quickest = 1 - times.spread
    cycle = min(rhythm.poll_wait, (times.launch + times.user_data) * quickest)
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
    poll = _cheapest_poll(rhythm.poll_wait, times.user_data * quickest, times.billed_at_least)
    return Bounds(waits, math.ceil(sent / quota) * poll)


def _cheapest_poll(rest: float, boot: float, least: float) -> float:
    """Return the fewest billed seconds for which a poll can be had.

    From where the shortest bill plays no part, seconds for each poll only rise or fall towards
    `rest`, so the few polls before that, and `rest` itself, are all there is to compare.
    """
    if not rest:
        return 0.0
    few = range(1, math.ceil(least / rest) + 3)
    return min([rest, *(max(least, boot + (polls - 1) * rest) / polls for polls in few)])
