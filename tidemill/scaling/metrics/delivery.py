"""Delivery of SQS's datapoints to CloudWatch, and the faults that delay, move or lose them.

AWS publishes no time limit for the metrics of an active queue. The faults imitate what users have
reported: datapoints that are late or missing, minutes with no datapoint or two of them, and a
message in flight that an empty queue keeps counting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zlib import crc32

from tidemill.scaling.fault_kinds import (
    METRICS_IRREGULAR,
    METRICS_LATE,
    METRICS_MISSING,
    PHANTOM_IN_FLIGHT,
)
from tidemill.scaling.metrics.queue import AGE, DELAYED, NOT_VISIBLE, PERIOD, VISIBLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tidemill.scaling.faults import Fault
    from tidemill.scaling.metrics.queue import QueueSample
    from tidemill.scaling.metrics.store import Datapoint

NAMES = {VISIBLE: "visible", NOT_VISIBLE: "in-flight", DELAYED: "delayed", AGE: "age"}
"""The targets of faults by the metrics' names at SQS."""


@dataclass(frozen=True, slots=True)
class DelayedDatapoint:
    """A datapoint that CloudWatch does not have before `arrives_at`, in epoch seconds."""

    arrives_at: float
    datapoint: Datapoint


def as_counted(sample: QueueSample, faults: Iterable[Fault], now: float) -> QueueSample:
    """Return the queue as SQS counts it: in an empty one, a fault may add a phantom message."""
    if sample.visible or sample.in_flight or sample.delayed:
        return sample
    phantom = any(fault.kind == PHANTOM_IN_FLIGHT.name and fault.is_on(now) for fault in faults)
    return replace(sample, in_flight=1) if phantom else sample


def send(points: Iterable[Datapoint], faults: Sequence[Fault]) -> list[DelayedDatapoint]:
    """Return the queue's datapoints as they arrive; without a fault each arrives after its minute.

    Example: the datapoint of 12:00 is published at 12:01. Five minutes late it arrives at 12:06. If
    it is irregular, it arrives at 12:01 as a second datapoint of 12:01.
    """
    sent = []
    for point in points:
        published = point.timestamp + PERIOD
        mine = [
            fault
            for fault in faults
            if fault.is_on(published) and fault.concerns(NAMES[point.metric.name])
        ]
        if any(fault.kind == METRICS_MISSING.name for fault in mine):
            continue
        moved = any(fault.kind == METRICS_IRREGULAR.name and _moves(fault, point) for fault in mine)
        late = (PERIOD * one.value("late_minutes") for one in mine if one.kind == METRICS_LATE.name)
        arriving = replace(point, timestamp=published) if moved else point
        sent.append(DelayedDatapoint(published + max(late, default=0), arriving))
    return sent


def at_once(points: Iterable[Datapoint]) -> Iterator[DelayedDatapoint]:
    """Yield datapoints that no fault concerns: they arrive when they are published."""
    return (DelayedDatapoint(point.timestamp, point) for point in points)


def split_arrived(
    points: Iterable[DelayedDatapoint], now: float
) -> tuple[tuple[Datapoint, ...], tuple[DelayedDatapoint, ...]]:
    """Return the datapoints that CloudWatch has by now, and those that it does not have yet."""
    arrived: list[Datapoint] = []
    delayed: list[DelayedDatapoint] = []
    for point in points:
        if point.arrives_at <= now:
            arrived.append(point.datapoint)
        else:
            delayed.append(point)
    return tuple(arrived), tuple(delayed)


def _moves(fault: Fault, point: Datapoint) -> bool:
    """Return whether an irregular metric has this datapoint in the next minute.

    A checksum is the chance: the same in every run with the same seed, for each metric another one.
    """
    text = f"{fault.value('seed'):g} {point.metric.name} {point.timestamp:.0f}"
    return crc32(text.encode()) / 2**32 < fault.value("share")
