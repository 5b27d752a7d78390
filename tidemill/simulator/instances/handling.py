"""Handling of the messages of one receive: durations and times of acknowledgement."""

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
    """Distribution of the time to handle a message.

    Attributes:
        mean: the mean in seconds.
        variation: the standard deviation as a share of the mean. With 0 all messages take the same
            time; otherwise times are log-normal, which is usual for durations: none is negative,
            and a few are long.
    """

    mean: float = 0.0
    variation: float = 0.0

    def draw(self, rng: Random) -> float:
        """Return the seconds for the next message."""
        if not self.mean or not self.variation:
            return self.mean
        variance = math.log1p(self.variation**2)
        return rng.lognormvariate(math.log(self.mean) - variance / 2, math.sqrt(variance))


@dataclass(frozen=True, slots=True)
class ReceivedBatch:
    """The messages of one receive.

    Attributes:
        spans: (begin, end, message) of each handling, ordered by their ends.
        groups: (time, messages that are acknowledged then), in descending order of time.
        late: messages that are returned at the end, because they took too long.
    """

    spans: list[tuple[float, float, QueuedMessage]]
    groups: list[tuple[float, list[QueuedMessage]]]
    late: tuple[QueuedMessage, ...] = ()


def plan(
    messages: Sequence[QueuedMessage], begin: float, durations: Sequence[float], workers: int
) -> ReceivedBatch:
    """Return when each message is handled and acknowledged, by the rules of the consumer.

    Messages are acknowledged when a second has passed since the last acknowledgement, and at the
    end. Example: three messages of 0.6, 0.6 and 0.1 s, from 100 on by one worker, end at 100.6,
    101.2 and 101.3. Two are acknowledged at 101.2 and one at 101.3.

    Args:
        messages: in the order in which their handling begins.
        begin: when the handling of the first one begins.
        durations: the seconds for each message.
        workers: how many messages are handled at the same time.
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
    return ReceivedBatch(spans, groups[::-1])


def cut_short(
    batch: ReceivedBatch, now: float, drain: float
) -> tuple[ReceivedBatch, list[QueuedMessage]]:
    """Return the part of a batch that a stopping consumer finishes, and the messages it returns.

    Messages whose handling has begun may take `drain` more seconds. They are acknowledged at their
    end; those that would take longer are returned after `drain` seconds. Other messages are
    returned at once.
    """
    limit = now + drain
    unacknowledged = {id(message) for _, group in batch.groups for message in group}
    begun = [span for span in batch.spans if span[0] <= now and id(span[2]) in unacknowledged]
    late = tuple(message for _, end, message in begun if end > limit)
    ending = [span for span in begun if span[1] <= limit]
    last = limit if late else max((end for _, end, _ in ending), default=now)
    groups = [(max(last, now), [message for _, _, message in ending])]
    waiting = [message for start, _, message in batch.spans if start > now]
    return ReceivedBatch(ending, groups, late), waiting
