"""When the messages of one receive are handled and settled, and how long handling takes."""

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
    """Seconds that handling a message takes: `mean`, and `variation`, its share of deviation.

    Without variation all take the same; else times are log-normal, which is what durations that
    cannot be negative and are at times long look like.
    """

    mean: float = 0.0
    variation: float = 0.0

    def draw(self, rng: Random) -> float:
        """Return one handling's seconds."""
        if not self.mean or not self.variation:
            return self.mean
        variance = math.log1p(self.variation**2)
        return rng.lognormvariate(math.log(self.mean) - variance / 2, math.sqrt(variance))


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages of one receive with when each begins and ends, and how they are settled.

    `groups` are (moment, messages settled then), last one first. `late` go back at the end,
    unfinished.
    """

    spans: list[tuple[float, float, QueuedMessage]]
    groups: list[tuple[float, list[QueuedMessage]]]
    late: tuple[QueuedMessage, ...] = ()


def plan(
    messages: Sequence[QueuedMessage], begin: float, durations: Sequence[float], workers: int
) -> Batch:
    """Return when which message is handled and settled, as the consumer's worker does."""
    free = [begin] * min(workers, len(messages))
    spans = []
    for message, seconds in zip(messages, durations, strict=True):
        start = heapq.heappop(free)
        spans.append((start, start + seconds, message))
        heapq.heappush(free, start + seconds)
    spans.sort(key=lambda span: span[1])
    groups: list[tuple[float, list[QueuedMessage]]] = []
    settled_at, group = begin, []
    for _, end, message in spans:
        group.append(message)
        if end - settled_at >= ACKNOWLEDGE_SECONDS:
            groups.append((end, group))
            settled_at, group = end, []
    last = spans[-1][1]
    if group:
        groups.append((last, group))
    return Batch(spans, groups[::-1])


def cut_short(batch: Batch, now: float, drain: float) -> tuple[Batch, list[QueuedMessage]]:
    """Return what is left of a batch whose consumer is told to stop, and what goes back at once.

    What has begun may end within `drain` seconds and is settled then, or else goes back then;
    what has not begun goes back at once.
    """
    limit = now + drain
    unsettled = {id(message) for _, group in batch.groups for message in group}
    begun = [span for span in batch.spans if span[0] <= now and id(span[2]) in unsettled]
    late = tuple(message for _, end, message in begun if end > limit)
    ending = [span for span in begun if span[1] <= limit]
    last = limit if late else max((end for _, end, _ in ending), default=now)
    groups = [(max(last, now), [message for _, _, message in ending])]
    waiting = [message for start, _, message in batch.spans if start > now]
    return Batch(ending, groups, late), waiting
