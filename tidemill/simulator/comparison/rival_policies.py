"""Other scaling policies for the same group and queue, to compare with the template's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemill.scaling.group.metrics import group_metric
from tidemill.scaling.metrics.queue import VISIBLE, queue_metric
from tidemill.scaling.policies.tracking import tracking_alarms
from tidemill.scaling.spec import (
    AdjustmentType,
    Alarm,
    Comparison,
    MetricQuery,
    MetricStat,
    PolicyAction,
    StepAdjustment,
    StepScalingPolicy,
    TargetTrackingPolicy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.spec import Fleet, Policy
    from tidemill.simulator.candidate import Candidate

MINUTE = 60
CDK_PERIOD = 300
IN_SERVICE = "GroupInServiceInstances"


def rivals(ours: Candidate, backlog_per_instance: int) -> Iterator[Candidate]:
    """Yield the template's fleet and the same group and workers under other policies.

    Args:
        ours: the template's fleet.
        backlog_per_instance: the target of the tracking policy, in messages per instance.
    """
    yield ours
    yield replace(
        ours, name="target tracking", fleet=_target_tracking(ours.fleet, backlog_per_instance)
    )
    yield replace(ours, name="CDK defaults", fleet=_queue_service(ours.fleet))
    yield replace(ours, name="one by one", fleet=_plus_minus_one(ours.fleet))
    most = ours.fleet.group.max_size
    for size in sorted({1, most}):
        yield replace(ours, name=f"fixed at {size}", fleet=_fixed(ours.fleet, size))


def _fixed(fleet: Fleet, size: int) -> Fleet:
    """Return the fleet with a fixed number of instances and no alarm."""
    return _with(fleet, (), (), least=size, most=size)


def _plus_minus_one(fleet: Fleet) -> Fleet:
    """Return the fleet as in most exercises: +1 instance with messages, -1 without messages."""
    out, back = (
        _by("PlusOne", (StepAdjustment(0, None, 1),)),
        _by("MinusOne", (StepAdjustment(None, 0, -1),)),
    )
    queries = (_visible(fleet, MINUTE),)
    return _with(
        fleet,
        (out, back),
        (
            _alarm("SomeMessages", queries, Comparison.GREATER_OR_EQUAL, 1, out),
            _alarm("NoMessages", queries, Comparison.LESS_OR_EQUAL, 0, back),
        ),
    )


def _queue_service(fleet: Fleet) -> Fleet:
    """Return the fleet with the defaults of CDK's QueueProcessingEc2Service, on instances.

    Source: aws-cdk-lib, aws-ecs-patterns, queue-processing-service-base. The steps are -1 instance
    without a message, +1 from 100 messages and +5 from 500; the minimum is 1, and the metric's
    period is five minutes. The maximum is the template's instead of 2. Tracking of CPU is left out,
    because workers that rest between polls use hardly any.
    """
    out = _by("QueueServiceOut", (StepAdjustment(0, 400, 1), StepAdjustment(400, None, 5)))
    back = _by("QueueServiceIn", (StepAdjustment(None, 0, -1),))
    queries = (_visible(fleet, CDK_PERIOD),)
    return _with(
        fleet,
        (out, back),
        (
            _alarm("UpperAlarm", queries, Comparison.GREATER_OR_EQUAL, 100, out, CDK_PERIOD),
            _alarm("LowerAlarm", queries, Comparison.LESS_OR_EQUAL, 0, back, CDK_PERIOD),
        ),
        least=1,
    )


def _target_tracking(fleet: Fleet, backlog_per_instance: int) -> Fleet:
    """Return the fleet with target tracking of the visible messages per instance, as AWS advises.

    Source: EC2 Auto Scaling User Guide, "Scaling policy based on Amazon SQS", with metric math. The
    minimum is 1, because with 0 instances the quotient has no datapoint and the group stays at 0.
    """
    policy = TargetTrackingPolicy(
        "BacklogTracking", "backlog-tracking", backlog_per_instance, "TrackingHigh", "TrackingLow"
    )
    serving = MetricStat(group_metric(fleet.group, IN_SERVICE), MINUTE, "Average")
    queries = (
        _visible(fleet, MINUTE),
        MetricQuery("serving", serving),
        MetricQuery("each", expression="visible / serving", label="messages for each instance"),
    )
    group = replace(fleet.group, metrics=fleet.group.metrics | {IN_SERVICE})
    alarms = tuple(tracking_alarms(policy, group.name, queries, "each"))
    return _with(replace(fleet, group=group), (policy,), alarms, least=1)


def _with(
    fleet: Fleet,
    policies: tuple[Policy, ...],
    alarms: tuple[Alarm, ...],
    *,
    least: int = 0,
    most: int | None = None,
) -> Fleet:
    most = fleet.group.max_size if most is None else most
    return replace(
        fleet,
        group=replace(fleet.group, min_size=least, max_size=most, desired=least),
        policies=policies,
        alarms=alarms,
        queue=replace(fleet.queue, kept_awake=False),
        signal_period=None,
        scheduled=(),
        not_modelled=(),
    )


def _by(name: str, steps: tuple[StepAdjustment, ...]) -> StepScalingPolicy:
    return StepScalingPolicy(name, name, AdjustmentType.CHANGE, steps)


def _visible(fleet: Fleet, period: int) -> MetricQuery:
    return MetricQuery(
        "visible", MetricStat(queue_metric(fleet.queue.name, VISIBLE), period, "Maximum")
    )


def _alarm(
    name: str,
    queries: tuple[MetricQuery, ...],
    comparison: Comparison,
    threshold: float,
    policy: StepScalingPolicy,
    period: int = MINUTE,
) -> Alarm:
    return Alarm(
        logical_id=name,
        name=name,
        queries=queries,
        returned=queries[0].id,
        comparison=comparison,
        threshold=threshold,
        period=period,
        evaluation_periods=1,
        datapoints_to_alarm=1,
        actions=(PolicyAction(policy.logical_id),),
    )
