"""Situation: the metrics of a queue and a group at one moment, and the alarms' values in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from shared.quotas import MAX_RETENTION
from tidemill.scaling.alarms.alarm import AlarmMemory, datapoints, evaluate
from tidemill.scaling.alarms.verdict import evaluation_range, judge
from tidemill.scaling.alarms.window import evaluation_interval as interval_of
from tidemill.scaling.group.capacity import Capacity
from tidemill.scaling.group.metrics import NAMESPACE
from tidemill.scaling.metrics.queue import (
    AGE,
    DELAYED,
    NOT_VISIBLE,
    PERIOD,
    UNITS,
    VISIBLE,
    queue_metric,
)
from tidemill.scaling.metrics.signal import BACKLOG, DESIRED_CAPACITY, signal_metric
from tidemill.scaling.metrics.statistics import StatisticSet
from tidemill.scaling.metrics.store import Datapoint, MetricStore
from tidemill.scaling.policies.dispatch import Trigger, policy_outcome
from tidemill.scaling.spec import AlarmState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.scaling.spec import Alarm, Fleet, Metric

SENT = "NumberOfMessagesSent"
HELD = (VISIBLE, NOT_VISIBLE)
ONLY_WHEN_THERE = frozenset({NOT_VISIBLE, DELAYED, AGE})
"""Metrics that SQS publishes only while there is such a message ("Available CloudWatch metrics
for Amazon SQS")."""

_INSTANCES = frozenset(
    {
        "GroupDesiredCapacity",
        "GroupInServiceCapacity",
        "GroupInServiceInstances",
        "GroupTotalCapacity",
        "GroupTotalInstances",
    }
)
_BEGIN = 86_400.0 * 30
"""An arbitrary full hour, in epoch seconds."""


@dataclass(frozen=True, slots=True)
class Situation:
    """A number of instances in service, and the values of metrics that do not depend on it."""

    capacity: int
    values: Mapping[Metric, float] = field(default_factory=dict)

    def seen(self, fleet: Fleet, metric: Metric) -> float | None:
        """Return the value of an alarm's metric, None if it is not published."""
        if metric.namespace == NAMESPACE:
            return self._of_group(fleet, metric.name)
        queue = dict(metric.dimensions).get("QueueName", "")
        held = sum(self.values.get(queue_metric(queue, name), 0.0) for name in HELD)
        if metric == signal_metric(queue, BACKLOG):
            return held
        if metric == signal_metric(queue, DESIRED_CAPACITY):
            return self.capacity
        if metric.namespace == "AWS/SQS" and metric.name not in UNITS:
            return None
        value = self.values.get(metric, 0.0)
        if metric.name == AGE and not held:
            return None
        return None if metric.name in ONLY_WHEN_THERE and not value else value

    def _of_group(self, fleet: Fleet, name: str) -> float | None:
        if name not in fleet.group.metrics:
            return None
        sizes = {"GroupMinSize": fleet.group.min_size, "GroupMaxSize": fleet.group.max_size}
        return sizes.get(name, self.capacity if name in _INSTANCES else 0)


def metrics_of(alarm: Alarm) -> list[Metric]:
    """Return the metrics of an alarm, in its order."""
    return [query.stat.metric for query in alarm.queries if query.stat]


def value_in(fleet: Fleet, alarm: Alarm, situation: Situation) -> float | None:
    """Return the value of an alarm while its metrics do not change."""
    return _steady_value(
        replace(alarm, evaluation_periods=1, datapoints_to_alarm=1),
        tuple(situation.seen(fleet, metric) for metric in metrics_of(alarm)),
    )


def steady_state(alarm: Alarm, value: float | None) -> AlarmState:
    """Return the state of an alarm whose value does not change.

    An alarm that ignores missing data and has no value keeps its state; here that is the state of
    an alarm that never had a value.
    """
    return judge(alarm, [value] * alarm.evaluation_periods, AlarmState.INSUFFICIENT_DATA)


def asked(
    fleet: Fleet, alarm: Alarm, state: AlarmState, value: float | None, capacity: int
) -> list[int]:
    """Return the capacities that an alarm's policies ask for in a state, without the present one.

    `value` is the alarm's newest value.
    """
    trigger, settled = Trigger.of_alarm(alarm, value), Capacity(capacity, capacity)
    outcomes = (
        policy_outcome(fleet.policy(one), trigger, settled, fleet.group.limits)
        for one in alarm.policies_in(state)
    )
    return [outcome.desired for outcome in outcomes if outcome.desired is not None]


def seconds_to_wake(fleet: Fleet, alarm: Alarm, queue: str) -> float | None:
    """Return the seconds from a message's arrival in this queue until an alarm scales out from 0.

    None means never. Before the message, the queues are empty and active, so SQS has published
    zeros. No worker receives the message. After the alarm's whole window only the age of the
    message still changes; it is computed until it reaches the threshold.
    """
    step = min(alarm.period, PERIOD)
    turn = max(step, interval_of(alarm))
    store = MetricStore(newest=_BEGIN)
    history = alarm.period * evaluation_range(alarm.evaluation_periods)
    memory = AlarmMemory.created(_BEGIN)
    empty = Situation(0)
    store = store.record(_points(fleet, alarm, empty, _BEGIN - history, _BEGIN), 2 * history)
    memory = evaluate(alarm, memory, store, _BEGIN)
    longest = float(alarm.period * (alarm.evaluation_periods + 1))
    if any(metric.name == AGE for metric in metrics_of(alarm)):
        longest += min(max(0.0, alarm.threshold), float(MAX_RETENTION))
    waited = 0.0
    while waited < longest:
        begin = _BEGIN + waited
        situation = one_message(queue, waited, turn)
        store = store.record(_points(fleet, alarm, situation, begin, begin + turn), 2 * history)
        waited += turn
        memory = evaluate(alarm, memory, store, begin + turn)
        if max(asked(fleet, alarm, memory.state, memory.value, 0), default=0):
            return waited
    return None


def one_message(queue: str, waited: float = 0.0, turn: float = PERIOD) -> Situation:
    """Return the situation of one message that has waited in a queue, without an instance.

    `waited` is in seconds; `turn` is the number of seconds until the next evaluation.
    """
    values = {VISIBLE: 1.0, AGE: waited + turn, SENT: 0.0 if waited else 1.0}
    return Situation(0, {queue_metric(queue, name): value for name, value in values.items()})


def _points(
    fleet: Fleet, alarm: Alarm, situation: Situation, begin: float, end: float
) -> Iterator[Datapoint]:
    step = min(alarm.period, PERIOD)
    for metric in metrics_of(alarm):
        value = situation.seen(fleet, metric)
        if value is None:
            continue
        for number in range(int((end - begin) // step)):
            yield Datapoint(metric, begin + number * step, StatisticSet.of(value))


@lru_cache(maxsize=65_536)
def _steady_value(alarm: Alarm, values: tuple[float | None, ...]) -> float | None:
    step = min(alarm.period, PERIOD)
    count = alarm.period * evaluation_range(alarm.evaluation_periods) // step
    kept = {
        metric: tuple(
            Datapoint(metric, _BEGIN - number * step, StatisticSet.of(value))
            for number in range(count, 0, -1)
        )
        for metric, value in zip(metrics_of(alarm), values, strict=True)
        if value is not None
    }
    return datapoints(alarm, MetricStore(kept, _BEGIN), _BEGIN)[-1]
