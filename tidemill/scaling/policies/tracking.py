"""Target tracking: the alarms that a policy creates, and the capacity that it asks for.

AWS publishes neither the formula nor the alarms' shape ("Target tracking scaling policies for
Amazon EC2 Auto Scaling"). Published are four examples: +1.5 instances become +2, -0.5 becomes 0,
-1.5 becomes -1; on the page about SQS queues, 10 instances at 1.5 times the target become 15. The
rest is marked as observed or assumed. A metric may have periods of 10, 30 or 60 s ("Create a target
tracking policy using high-resolution metrics for faster response").
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from tidemill.scaling.policies.outcome import scale_in, scale_out
from tidemill.scaling.spec import Alarm, Comparison, MissingData, PolicyAction, TargetTrackingPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tidemill.scaling.alarms.watching import DueAlarm
    from tidemill.scaling.group.capacity import Capacity
    from tidemill.scaling.policies.outcome import Outcome
    from tidemill.scaling.spec import Fleet, Limits, MetricQuery

OURS = UUID("2f6d5a0e-1c7b-5e0a-9a53-0d4f8b1c6e21")
"""A made-up namespace, so that the same template always has the same alarm names."""

LEAST_DATAPOINTS = 3
LOW_SECONDS = 15 * 60
LOW_SHARE = 0.7
"""Observed in alarms of EC2 Auto Scaling on metrics of a minute, which users have published: the
high alarm is in ALARM if 3 of 3 datapoints are above the target, the low one if 15 of 15 are below
70 % of it. (ECS and the rest of Application Auto Scaling: 90 %.) AWS may change its alarms at any
time, and says since November 2024 that it tunes them to each application's metric."""

HIGH_SECONDS = 60
"""Published for a metric of 10 s, as the result of one load test: the capacity increased after one
minute, against three minutes with a metric of 60 s (AWS Compute Blog, "Faster scaling with Amazon
EC2 Auto Scaling Target Tracking", November 2024). Assumed: that this is 6 of 6 datapoints; for
metrics of 30 s, for which there is no number, 3 of 3."""


NOT_ALL_READY = "another target tracking policy is not ready to scale in"


def alarm_name(group: str, side: str, policy: str) -> str:
    """Return the name of a policy's alarm; `side` is High or Low."""
    return f"TargetTracking-{group}-Alarm{side}-{uuid5(OURS, f'{group}/{policy}/{side}')}"


def high_datapoints(period: int) -> int:
    """Return for how many periods of these seconds a metric is above its target at scale-out.

    They are three at least and take a minute at least: 6 for 10 s, 3 for 30 s, 3 for 60 s.
    """
    return max(LEAST_DATAPOINTS, -(-HIGH_SECONDS // period))


def low_datapoints(period: int) -> int:
    """Return for how many periods of these seconds a metric is well below its target at scale-in.

    Observed for a minute's periods: 15. Assumed for shorter ones: the same 15 minutes, because
    target tracking scales in "more gradually", so 90 for 10 s and 30 for 30 s.
    """
    return LOW_SECONDS // period


def tracking_alarms(
    policy: TargetTrackingPolicy, group: str, queries: tuple[MetricQuery, ...], returned: str
) -> Iterator[Alarm]:
    """Yield the alarms that a policy creates on its metric.

    Args:
        policy: the policy.
        group: the group's name.
        queries: the metric, or the expression over metrics, that is tracked.
        returned: the id of the query whose value is tracked.
    """
    period = next(query.stat.period for query in queries if query.stat)
    high = Alarm(
        logical_id=policy.high,
        name=alarm_name(group, "High", policy.name),
        queries=queries,
        returned=returned,
        comparison=Comparison.GREATER,
        threshold=policy.target,
        period=period,
        evaluation_periods=high_datapoints(period),
        datapoints_to_alarm=high_datapoints(period),
        missing_data=MissingData.MISSING,
        actions=(PolicyAction(policy.logical_id),),
    )
    yield high
    if policy.low is not None:
        yield replace(
            high,
            logical_id=policy.low,
            name=alarm_name(group, "Low", policy.name),
            comparison=Comparison.LESS,
            # Without rounding, 0.7 * 30 would be a little less than 21.
            threshold=round(LOW_SHARE * policy.target, 9),
            evaluation_periods=low_datapoints(period),
            datapoints_to_alarm=low_datapoints(period),
        )


def tracked_out(
    policy: TargetTrackingPolicy, value: float, capacity: Capacity, limits: Limits
) -> Outcome:
    """Return the outcome of a policy whose metric is above its target.

    Capacity grows in proportion to the metric and by one at least, counted from the instances past
    warm-up (published for step scaling, assumed here). Example with a target of 100: 10 instances
    at 115 need 11.5, so 12. A metric that has a value at 0 instances takes the group from 0 to 1
    (assumed). A quotient by the number of instances has no datapoint at 0 ("Using metric math": a
    division by zero drops the point), so its alarm is never in ALARM and the group stays at 0.
    """
    target = max(_needed(policy, value, capacity.settled), capacity.settled + 1)
    return scale_out(target, capacity, limits)


def tracked_in(
    policy: TargetTrackingPolicy, value: float, capacity: Capacity, limits: Limits
) -> Outcome:
    """Return the outcome of a policy whose metric is well below its target.

    Published: a fraction of an instance stays, so that the remaining instances do not exceed the
    target. Example with a target of 100: 10 instances at 85 need 8.5, so 9 stay. Assumed: all
    surplus instances are terminated at once, by the rules that step scaling has for scale-in.
    """
    return scale_in(lambda counted: _needed(policy, value, counted), capacity, limits)


def low_alarms(fleet: Fleet) -> set[str]:
    """Return the logical ids of the alarms that trigger scale-in by target tracking policies."""
    return {
        policy.low
        for policy in fleet.policies
        if isinstance(policy, TargetTrackingPolicy) and policy.low is not None
    }


def agree_on_scale_in(
    fleet: Fleet, due: Sequence[DueAlarm], in_alarm: Mapping[str, DueAlarm]
) -> Sequence[DueAlarm]:
    """Return the due alarms so that target tracking policies scale in together or not at all.

    The group scales in only if all its target tracking policies with scale-in enabled are ready to
    scale in. A scale-in by another kind of policy does not wait for them ("Dynamic scaling for
    Amazon EC2 Auto Scaling").

    Args:
        fleet: the fleet of the template.
        due: the alarms whose actions are due.
        in_alarm: every alarm in state ALARM, due or not, by logical id.
    """
    lows = low_alarms(fleet)
    if not any(one.alarm.logical_id in lows for one in due):
        return due
    others = [one for one in due if one.alarm.logical_id not in lows]
    if lows <= in_alarm.keys():
        return [*others, *(in_alarm[low] for low in sorted(lows))]
    return [
        replace(one, held=NOT_ALL_READY) if one.alarm.logical_id in lows else one for one in due
    ]


def _needed(policy: TargetTrackingPolicy, value: float, current: int) -> int:
    """Return how many instances would bring the metric to its target, rounded up.

    The quotient is first rounded to nine decimals, because in floating point 10 * 0.7 / 0.1 is a
    little more than 70 and would become 71.
    """
    return math.ceil(round(current * value / policy.target, 9))
