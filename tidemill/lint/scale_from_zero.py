"""Rules about scaling from 0 instances to the first one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.lint.finding import Rule, Severity, Violation
from tidemill.lint.sampling import MANY, queues_of
from tidemill.lint.situation import (
    Situation,
    asked,
    metrics_of,
    one_message,
    seconds_to_wake,
    steady_state,
    value_in,
)
from tidemill.scaling.group.metrics import NAMESPACE
from tidemill.scaling.metrics.queue import NOT_VISIBLE, VISIBLE, queue_metric
from tidemill.scaling.spec import AlarmState, Comparison
from tidemill.scaling.template.queue import watched_queues

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.lint.linted_fleet import LintedFleet
    from tidemill.scaling.spec import Alarm

SIGNS = {
    Comparison.GREATER: "more than",
    Comparison.GREATER_OR_EQUAL: "at least",
    Comparison.LESS: "less than",
    Comparison.LESS_OR_EQUAL: "at most",
}

PROMPT = 180.0
"""Seconds from a message to ALARM that are acceptable: three of SQS's one-minute datapoints."""


def _asleep(linted: LintedFleet) -> Iterator[Violation]:
    fleet = linted.fleet
    if fleet.group.min_size or _without_datapoint(linted):
        return
    for queue in watched_queues(fleet.alarms):
        if _soonest(linted, queue) is not None:
            continue
        alarms = [alarm for alarm in linted.out() if queue in queues_of(alarm)]
        reasons = "; ".join(_why_asleep(linted, alarm, queue) for alarm in alarms)
        yield Violation(
            f"one message in {linted.called(queue)} never wakes {fleet.group.logical_id}: "
            f"{reasons or 'no alarm on it scales out'}",
            linted.at_alarm(alarms[0], "Threshold") if alarms else linted.at_group(),
        )


def _why_asleep(linted: LintedFleet, alarm: Alarm, queue: str) -> str:
    name = linted.name_of(alarm)
    value = value_in(linted.fleet, alarm, one_message(queue))
    if value is None:
        return f"{name} has no datapoint then"
    if steady_state(alarm, value) is not AlarmState.ALARM:
        sign = SIGNS[alarm.comparison]
        return f"{name} is {value:g} then, and goes to ALARM when it is {sign} {alarm.threshold:g}"
    return f"{name} goes to ALARM, but its policies keep the capacity at 0"


def _slow(linted: LintedFleet) -> Iterator[Violation]:
    if linted.fleet.group.min_size:
        return
    for queue in watched_queues(linted.fleet.alarms):
        soonest = _soonest(linted, queue)
        if soonest is not None and soonest[0] > PROMPT:
            wait, alarm = soonest
            yield Violation(
                f"one message in {linted.called(queue)} wakes {linted.fleet.group.logical_id} "
                f"after {wait / 60:g} minutes, when {linted.name_of(alarm)} goes to ALARM",
                linted.at_alarm(alarm),
            )


def _soonest(linted: LintedFleet, queue: str) -> tuple[float, Alarm] | None:
    """Return the first alarm to scale out from 0 after one message in a queue, and its delay.

    The delay is in seconds. The result is None if no alarm scales out.
    """
    waits = ((seconds_to_wake(linted.fleet, one, queue), one) for one in linted.fleet.alarms)
    known = [(wait, alarm) for wait, alarm in waits if wait is not None]
    return min(known, key=lambda item: item[0], default=None)


def _divides(linted: LintedFleet) -> Iterator[Violation]:
    for alarm in _without_datapoint(linted):
        yield Violation(
            f"{linted.name_of(alarm)} has no datapoint while {linted.fleet.group.logical_id} has "
            "no instance, with any backlog, and no other alarm scales out from 0",
            linted.at_alarm(alarm, "Metrics"),
        )


def _without_datapoint(linted: LintedFleet) -> list[Alarm]:
    """Return the alarms that scale out but have no value at 0, in a fleet that never leaves 0."""
    fleet = linted.fleet
    if fleet.group.min_size:
        return []
    if any(_grows(linted, alarm, 0) for alarm in fleet.alarms):
        return []
    return [
        alarm
        for alarm in fleet.alarms
        if value_in(fleet, alarm, _full(alarm, 0)) is None and _grows(linted, alarm, 1)
    ]


def _grows(linted: LintedFleet, alarm: Alarm, capacity: int) -> bool:
    """Return whether an alarm asks for more than this capacity while its queues are full."""
    value = value_in(linted.fleet, alarm, _full(alarm, capacity))
    asks = asked(linted.fleet, alarm, steady_state(alarm, value), value, capacity)
    return max(asks, default=0) > capacity


def _full(alarm: Alarm, capacity: int) -> Situation:
    names = (VISIBLE, NOT_VISIBLE)
    many = {queue_metric(queue, name): MANY for queue in queues_of(alarm) for name in names}
    return Situation(capacity, many)


def _unpublished(linted: LintedFleet) -> Iterator[Violation]:
    group = linted.fleet.group
    seen = set()
    for alarm in linted.fleet.alarms:
        for metric in metrics_of(alarm):
            own = ("AutoScalingGroupName", group.name) in metric.dimensions
            if metric.namespace == NAMESPACE and own and metric.name not in group.metrics:
                place = linted.at_alarm(alarm)[0]
                if (place, metric.name) not in seen:
                    seen.add((place, metric.name))
                    yield Violation(
                        f"{linted.name_of(alarm)} uses {metric.name}, which "
                        f"{group.logical_id} does not publish",
                        linted.at_group("MetricsCollection"),
                    )


def _always_on(linted: LintedFleet) -> Iterator[Violation]:
    group = linted.fleet.group
    if group.min_size:
        yield Violation(
            f"{group.logical_id} always has {group.min_size} or more instances, messages or not",
            linted.at_group("MinSize"),
        )


RULES = (
    Rule(
        id="asleep-at-one-message",
        severity=Severity.WARNING,
        problem="With 0 instances, one message alone causes no scale-out.",
        why="The message waits until enough other messages arrive, or until it expires.",
        page="Available CloudWatch metrics for Amazon SQS",
        fix=(
            "Add an alarm on ApproximateNumberOfMessagesVisible that goes to ALARM at 1 (Maximum, "
            "60 seconds, 1 of 1), with a policy that sets or adds an instance."
        ),
        check=_asleep,
    ),
    Rule(
        id="slow-to-wake",
        severity=Severity.NOTE,
        problem="With 0 instances, one message causes a scale-out after more than three minutes.",
        why="The alarm's window has to fill before its state is ALARM; then the instance boots.",
        page="Alarm evaluation",
        fix="Use Maximum over 60 seconds and 1 evaluation period for the alarm that scales from 0.",
        check=_slow,
    ),
    Rule(
        id="no-datapoint-at-zero",
        severity=Severity.ERROR,
        problem="Backlog per instance divides by zero at 0 instances, and nothing else leaves 0.",
        why=(
            "Metric math drops a datapoint that divides by zero, so the alarm never goes to ALARM "
            "at 0 instances, and the group stays at 0."
        ),
        page="Using metric math",
        fix=(
            "Add a step scaling policy on ApproximateNumberOfMessagesVisible that takes the group "
            "from 0 to 1, or divide by a capacity that is never 0."
        ),
        check=_divides,
    ),
    Rule(
        id="group-metric-not-published",
        severity=Severity.ERROR,
        problem="An alarm looks at a group metric that the group does not publish.",
        why="Group metrics are disabled by default; in metric math a missing one counts as 0.",
        page="Amazon CloudWatch metrics for Amazon EC2 Auto Scaling",
        fix="Name the metric in MetricsCollection, with a Granularity of 1Minute.",
        check=_unpublished,
    ),
    Rule(
        id="always-on",
        severity=Severity.NOTE,
        problem="The group's minimum is more than 0.",
        why="Instances run and cost money while the queue is empty.",
        page="Set scaling limits for your Auto Scaling group",
        fix="Set MinSize to 0 if the wait for a boot is acceptable.",
        check=_always_on,
    ),
)
