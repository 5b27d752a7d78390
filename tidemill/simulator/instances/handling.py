"""Handling of the messages of one receive: how long it takes, and when they are acknowledged."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.cycle import ACKNOWLEDGE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tidemill.simulator.queue import QueuedMessage


@dataclass(frozen=True, slots=True)
class HandlerTime:
    """How long handling a message takes.

    Attributes:
        mean: seconds on average.
        variation: standard deviation as a share of the mean. With 0 all messages take the same
            time; otherwise times are log-normal, as durations are that cannot be negative and are
            sometimes long.
    """

    mean: float = 0.0
    variation: float = 0.0

    def draw(self, rng: Random) -> float:
        """Return the seconds that the next message takes."""
        if not self.mean or not self.variation:
            return self.mean
        variance = math.log1p(self.variation**2)
        return rng.lognormvariate(math.log(self.mean) - variance / 2, math.sqrt(variance))


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages of one receive.

    Attributes:
        spans: (begin, end, message) of each handling, by their ends.
        groups: (moment, messages acknowledged then), the last one first.
        late: messages that are returned at the end, because they took too long.
    """

    spans: list[tuple[float, float, QueuedMessage]]
    groups: list[tuple[float, list[QueuedMessage]]]
    late: tuple[QueuedMessage, ...] = ()


def plan(
    messages: Sequence[QueuedMessage], begin: float, durations: Sequence[float], workers: int
) -> Batch:
    """Return when each message is handled and acknowledged, by the rules of the consumer.

    Messages are acknowledged once a second has passed since the last time, and at the end: three
    of 0.6, 0.6 and 0.1 s from 100 on give a group of two at 101.2 and one of one at 101.3.

    Args:
        messages: in the order in which their handling begins.
        begin: when the first one begins.
        durations: the seconds that each takes.
        workers: how many are handled at once.
    """
    free = [begin] * min(workers, len(messages))
    spans = []
    for message, seconds in zip(messages, durations, strict=True):
        start = heapq.heappop(free)
        spans.append((start, start + seconds, message))
        heapq.heappush(free, start + seconds)
    spans.sort(key=lambda span: span[1])
    groups: list[tuple[float, list[QueuedMessage]]] = []
    acknowledged_at, group = begin, []
    for _, end, message in spans:
        group.append(message)
        if end - acknowledged_at >= ACKNOWLEDGE_SECONDS:
            groups.append((end, group))
            acknowledged_at, group = end, []
    last = spans[-1][1]
    if group:
        groups.append((last, group))
    return Batch(spans, groups[::-1])


def cut_short(batch: Batch, now: float, drain: float) -> tuple[Batch, list[QueuedMessage]]:
    """Return what a stopping consumer still handles of a batch, and what it returns at once.

    Messages whose handling has begun may take `drain` seconds more and are acknowledged then; those
    that would take longer are returned then. The others are returned at once.
    """
    limit = now + drain
    unacknowledged = {id(message) for _, group in batch.groups for message in group}
    begun = [span for span in batch.spans if span[0] <= now and id(span[2]) in unacknowledged]
    late = tuple(message for _, end, message in begun if end > limit)
    ending = [span for span in begun if span[1] <= limit]
    last = limit if late else max((end for _, end, _ in ending), default=now)
    groups = [(max(last, now), [message for _, _, message in ending])]
    waiting = [message for start, _, message in batch.spans if start > now]
    return Batch(ending, groups, late), waiting
