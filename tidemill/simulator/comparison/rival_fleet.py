"""Parts of the rivals' fleets: the group under other policies, and their alarms."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tidemill.scaling.metrics.queue import queue_metric
from tidemill.scaling.spec import (
    AdjustmentType,
    Alarm,
    Comparison,
    MetricQuery,
    MetricStat,
    PolicyAction,
    StepAdjustment,
    StepScalingPolicy,
)

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet, Policy

MINUTE: Final = 60


def under(
    fleet: Fleet,
    policies: tuple[Policy, ...],
    alarms: tuple[Alarm, ...],
    *,
    least: int = 0,
    most: int | None = None,
) -> Fleet:
    """Return the fleet under other policies and alarms, with nothing else of the template's.

    `least` and `most` are the group's sizes; `most` is the template's unless it is given.
    """
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


def adding(name: str, *steps: tuple[float | None, float | None, int]) -> StepScalingPolicy:
    """Return a policy that adds instances by steps: lower bound, upper bound, instances."""
    adjustments = tuple(StepAdjustment(*step) for step in steps)
    return StepScalingPolicy(name, name, AdjustmentType.CHANGE, adjustments)


def of_queue(fleet: Fleet, name: str, period: int = MINUTE, key: str = "m1") -> MetricQuery:
    """Return a query of the maximum of one of the queue's metrics."""
    return MetricQuery(key, MetricStat(queue_metric(fleet.queue.name, name), period, "Maximum"))


def alarm_on(
    queries: tuple[MetricQuery, ...],
    comparison: Comparison,
    threshold: float,
    policy: StepScalingPolicy,
) -> Alarm:
    """Return an alarm on one period of the last query that triggers a policy.

    It is named after the policy.
    """
    return Alarm(
        logical_id=f"{policy.logical_id}Alarm",
        name=f"{policy.name}Alarm",
        queries=queries,
        returned=queries[-1].id,
        comparison=comparison,
        threshold=threshold,
        period=next(query.stat.period for query in queries if query.stat),
        evaluation_periods=1,
        datapoints_to_alarm=1,
        actions=(PolicyAction(policy.logical_id),),
    )
