"""Sampling of situations around the thresholds and steps of a fleet's alarms."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.lint.situation import Situation, asked, metrics_of, steady_state, value_in
from tidemill.scaling.group.metrics import NAMESPACE
from tidemill.scaling.metrics.queue import NOT_VISIBLE, VISIBLE, queue_metric
from tidemill.scaling.metrics.signal import BACKLOG, DESIRED_CAPACITY, signal_metric
from tidemill.scaling.spec import AdjustmentType, SimpleScalingPolicy, StepScalingPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.spec import Alarm, Fleet, Metric

MANY = 1_000_000.0
"""A number of messages above any threshold."""

MOST = 3000
"""The largest number of situations that are tried."""

_LITERAL = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class TriggeringAlarm:
    """An alarm that triggers policies in its state, with its value.

    `asks` has the capacities that its policies ask for, without the present one.
    """

    alarm: Alarm
    value: float | None
    asks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A situation, and the alarms that trigger policies in it."""

    situation: Situation
    triggering: tuple[TriggeringAlarm, ...]

    def out(self) -> Iterator[TriggeringAlarm]:
        """Yield the alarms that ask for more than the present capacity."""
        return (
            one for one in self.triggering if any(ask > self.situation.capacity for ask in one.asks)
        )

    def back(self) -> Iterator[TriggeringAlarm]:
        """Yield the alarms that ask for less than the present capacity."""
        return (
            one for one in self.triggering if any(ask < self.situation.capacity for ask in one.asks)
        )


def samples(fleet: Fleet) -> tuple[Sample, ...]:
    """Return the tried situations in which alarms of the fleet trigger policies."""
    tried = (
        Sample(situation, triggering_alarms(fleet, situation)) for situation in situations(fleet)
    )
    return tuple(sample for sample in tried if sample.triggering)


def triggering_alarms(fleet: Fleet, situation: Situation) -> tuple[TriggeringAlarm, ...]:
    """Return the alarms that trigger policies in a situation."""
    found = []
    for alarm in fleet.alarms:
        value = value_in(fleet, alarm, situation)
        state = steady_state(alarm, value)
        if alarm.acts_in(state):
            asks = tuple(asked(fleet, alarm, state, value, situation.capacity))
            found.append(TriggeringAlarm(alarm, value, asks))
    return tuple(found)


def situations(fleet: Fleet) -> Iterator[Situation]:
    """Yield situations on both sides of every number that the alarms compare with.

    They are all combinations of the numbers of each metric and each capacity; if these are more
    than MOST, fewer numbers of each metric are used.
    """
    capacities = _capacities(fleet)
    metrics = _free_metrics(fleet)
    numbers = [_numbers(fleet, metric, capacities) for metric in metrics]
    kept = max(map(len, numbers), default=1)
    while len(capacities) * math.prod(min(kept, len(some)) for some in numbers) > MOST:
        kept -= 1
    for values in itertools.product(*(some[:kept] for some in numbers)):
        for capacity in capacities:
            yield Situation(capacity, dict(zip(metrics, values, strict=True)))


def queues_of(alarm: Alarm) -> list[str]:
    """Return the names of the queues whose metrics an alarm uses, each once."""
    named = (dict(metric.dimensions).get("QueueName") for metric in metrics_of(alarm))
    return list(dict.fromkeys(name for name in named if name))


def _free_metrics(fleet: Fleet) -> list[Metric]:
    """Return the metrics that are independent of one another."""
    derived: set[Metric] = set()
    free: dict[Metric, None] = {}
    for alarm in fleet.alarms:
        for queue in queues_of(alarm):
            derived |= {signal_metric(queue, name) for name in (BACKLOG, DESIRED_CAPACITY)}
            free |= dict.fromkeys(queue_metric(queue, name) for name in (VISIBLE, NOT_VISIBLE))
    for alarm in fleet.alarms:
        free |= dict.fromkeys(one for one in metrics_of(alarm) if one.namespace != NAMESPACE)
    return [metric for metric in free if metric not in derived]


def _capacities(fleet: Fleet) -> list[int]:
    low, high = fleet.group.min_size, _largest(fleet)
    wanted = dict.fromkeys((low, high, 1, 2, (low + high) // 2))
    return [capacity for capacity in wanted if low <= capacity <= high]


def _largest(fleet: Fleet) -> int:
    """Return the largest capacity that policies and scheduled actions can set.

    It is less than the maximum if all policies set exact sizes: with steps to 1, 2 and 4, a group
    of at most 10 has at most 4 instances.
    """
    group = fleet.group
    exact = [
        policy
        for policy in fleet.policies
        if isinstance(policy, StepScalingPolicy | SimpleScalingPolicy)
        and policy.adjustment_type is AdjustmentType.EXACT
    ]
    if not fleet.policies or len(exact) < len(fleet.policies):
        return group.max_size
    steps = [
        step.adjustment for one in exact if isinstance(one, StepScalingPolicy) for step in one.steps
    ]
    simple = [one.adjustment for one in exact if isinstance(one, SimpleScalingPolicy)]
    planned = [size for one in fleet.scheduled for size in (one.min_size, one.desired) if size]
    return min(group.max_size, max(group.min_size, group.desired, *steps, *simple, *planned))


def _numbers(fleet: Fleet, metric: Metric, capacities: list[int]) -> list[float]:
    """Return values for a metric, the most informative ones first."""
    informative: dict[float, None] = dict.fromkeys((0.0, MANY, 1.0))
    for alarm in fleet.alarms:
        if metric.name == NOT_VISIBLE and metric not in metrics_of(alarm):
            continue
        for number in _compared_with(fleet, alarm):
            informative |= dict.fromkeys((number, number + 1, number - 1))
            informative |= dict.fromkeys(number * capacity + 1 for capacity in capacities)
    return [number for number in informative if number >= 0]


def _compared_with(fleet: Fleet, alarm: Alarm) -> Iterator[float]:
    yield alarm.threshold
    for query in alarm.queries:
        yield from map(float, _LITERAL.findall(query.expression or ""))
    for policy in fleet.policies:
        if policy.logical_id in alarm.policies and isinstance(policy, StepScalingPolicy):
            bounds = (bound for step in policy.steps for bound in (step.lower, step.upper))
            yield from (alarm.threshold + bound for bound in bounds if bound is not None)
