"""Target tracking: the alarms that a policy creates, and the capacity that it asks for.

AWS publishes neither the formula nor the alarms' shape ("Target tracking scaling policies for
Amazon EC2 Auto Scaling"). What is published: a change of 1.5 instances out is 2, one of 0.5 in
is none, one of 1.5 in is 1; the page on SQS queues makes 15 of 10 instances for 1.5 times the
target. The rest is marked as observed or assumed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from tidemill.scaling.policies.step import Outcome, clamp, staying, warming_up
from tidemill.scaling.spec import Alarm, Comparison, MissingData, TargetTrackingPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tidemill.scaling.alarms.watching import Ringing
    from tidemill.scaling.group.capacity import Capacity
    from tidemill.scaling.spec import Fleet, MetricQuery

OURS = UUID("2f6d5a0e-1c7b-5e0a-9a53-0d4f8b1c6e21")
"""A namespace of our own (made up), so that the same template has the same alarm names again."""

HIGH_DATAPOINTS = 3
LOW_DATAPOINTS = 15
LOW_SHARE = 0.7
"""Observed of EC2 Auto Scaling, in what people have published of their accounts: the high alarm
rings above the target in 3 of 3 datapoints, the low one below 70 % of it in 15 of 15. (ECS and the
rest of Application Auto Scaling: 90 %.) AWS may change its alarms at any time."""


NOT_ALL_READY = "another target tracking policy is not ready to scale in"


def alarm_name(group: str, side: str, policy: str) -> str:
    """Return the name of a policy's alarm; `side` is High or Low."""
    return f"TargetTracking-{group}-Alarm{side}-{uuid5(OURS, f'{group}/{policy}/{side}')}"


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
    high = Alarm(
        logical_id=policy.high,
        name=alarm_name(group, "High", policy.name),
        queries=queries,
        returned=returned,
        comparison=Comparison.GREATER,
        threshold=policy.target,
        period=next(query.stat.period for query in queries if query.stat),
        evaluation_periods=HIGH_DATAPOINTS,
        datapoints_to_alarm=HIGH_DATAPOINTS,
        missing_data=MissingData.MISSING,
        actions=(policy.logical_id,),
    )
    yield high
    if policy.low is not None:
        yield replace(
            high,
            logical_id=policy.low,
            name=alarm_name(group, "Low", policy.name),
            comparison=Comparison.LESS,
            # Rounded, as 0.7 * 30 would otherwise be a little less than 21.
            threshold=round(LOW_SHARE * policy.target, 9),
            evaluation_periods=LOW_DATAPOINTS,
            datapoints_to_alarm=LOW_DATAPOINTS,
        )


def tracked_out(
    policy: TargetTrackingPolicy, value: float, capacity: Capacity, low: int, high: int
) -> Outcome:
    """Return what a policy asks for whose metric is above its target.

    Capacity grows in proportion to the metric, counted from the instances past warm-up (published
    for step scaling, assumed here), and by one at least: so a metric that has a value at 0
    instances takes the group from 0 to 1 (assumed). A quotient by the number of instances has no
    datapoint at 0, so that its alarm never rings there ("Using metric math": a division by zero
    drops the point), and a group at 0 stays there.
    """
    target = max(_wanted(policy, value, capacity.settled), capacity.settled + 1)
    wanted = clamp(max(target, capacity.desired), low, high)
    return staying(capacity) if wanted == capacity.desired else Outcome(wanted)


def tracked_in(
    policy: TargetTrackingPolicy, value: float, capacity: Capacity, low: int, high: int
) -> Outcome:
    """Return what a policy asks for whose metric is well below its target.

    Published: a fraction of an instance stays, so that what is left does not go over the target.
    Assumed: all at once, not while instances warm up, and counted with those that terminate, as in
    step scaling.
    """
    if capacity.warming:
        return warming_up(capacity)
    wanted = clamp(_wanted(policy, value, capacity.settled + capacity.terminating), low, high)
    return staying(capacity) if wanted >= capacity.desired else Outcome(wanted)


def low_alarms(fleet: Fleet) -> set[str]:
    """Return the logical ids of the alarms that let target tracking policies scale in."""
    return {
        policy.low
        for policy in fleet.policies
        if isinstance(policy, TargetTrackingPolicy) and policy.low is not None
    }


def agree(
    fleet: Fleet, ringing: Sequence[Ringing], in_alarm: Mapping[str, Ringing]
) -> Sequence[Ringing]:
    """Let target tracking policies scale in together or not at all.

    The group scales in only if all its target tracking policies with scale-in enabled are ready
    to; a scale-in by another kind of policy does not wait for them ("Dynamic scaling for Amazon
    EC2 Auto Scaling").

    Args:
        fleet: what the template says.
        ringing: the alarms whose actions are due.
        in_alarm: every alarm in state ALARM, due or not, by logical id.
    """
    lows = low_alarms(fleet)
    if not any(rung.alarm.logical_id in lows for rung in ringing):
        return ringing
    others = [rung for rung in ringing if rung.alarm.logical_id not in lows]
    if lows <= in_alarm.keys():
        return [*others, *(in_alarm[low] for low in sorted(lows))]
    return [
        replace(rung, held=NOT_ALL_READY) if rung.alarm.logical_id in lows else rung
        for rung in ringing
    ]


def _wanted(policy: TargetTrackingPolicy, value: float, current: int) -> int:
    """Return how many instances would bring the metric to its target, rounded up.

    The ninth decimal is dropped first: 10 * 0.7 / 0.1 is a little more than 70.
    """
    return math.ceil(round(current * value / policy.target, 9))
