"""Target tracking policies to compare with: of the backlog, and of the workers' utilization."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tidemill.scaling.group.metrics import group_metric
from tidemill.scaling.metrics.queue import NOT_VISIBLE, VISIBLE
from tidemill.scaling.metrics.signal import BACKLOG, DESIRED_CAPACITY, signal_metric
from tidemill.scaling.policies.tracking import tracking_alarms
from tidemill.scaling.spec import MetricQuery, MetricStat, TargetTrackingPolicy
from tidemill.simulator.comparison.rival_fleet import MINUTE, of_queue, under

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet

IN_SERVICE: Final = "GroupInServiceInstances"
SIGNAL_PERIOD: Final = 10
UTILIZATION: Final = 0.7
"""The target with which AWS advises to start (AWS Compute Blog, "Enhancing auto scaling resilience
by tracking worker utilization metrics", March 2026)."""


def backlog_tracking(fleet: Fleet, backlog_per_instance: int) -> Fleet:
    """Return the fleet with target tracking of the visible messages per instance, as AWS advises.

    Source: EC2 Auto Scaling User Guide, "Scaling policy based on Amazon SQS", with metric math. The
    minimum is 1, because with 0 instances the quotient has no datapoint and the group stays at 0.
    """
    queries = (
        of_queue(fleet, VISIBLE, key="visible"),
        _serving(fleet),
        MetricQuery("each", expression="visible / serving", label="messages for each instance"),
    )
    return _tracking(fleet, "BacklogTracking", backlog_per_instance, queries, least=1)


def fast_backlog_tracking(fleet: Fleet, backlog_per_instance: int) -> Fleet:
    """Return the fleet with target tracking of the backlog per instance, every ten seconds.

    Sources: EC2 Auto Scaling User Guide, "Create a target tracking policy using high-resolution
    metrics for faster response"; AWS publishes neither queue nor group metrics that often, so the
    metrics are those of the template's fast signal. The minimum is 1, as above.
    """
    queries = (
        _of_signal(fleet, "backlog", BACKLOG),
        _of_signal(fleet, "capacity", DESIRED_CAPACITY),
        MetricQuery("each", expression="backlog / capacity", label="messages for each instance"),
    )
    tracked = _tracking(fleet, "FastTracking", backlog_per_instance, queries, least=1)
    return replace(tracked, signal_period=SIGNAL_PERIOD)


def utilization_tracking(fleet: Fleet, slots: int) -> Fleet:
    """Return the fleet with target tracking of the workers' utilization, as AWS advises.

    Source: as UTILIZATION, whose expressions these are. Work is what is visible or in flight, and
    the workers are what all instances can have in work at a time: example, 35 messages and 4
    instances of 10 slots are 35 / 40 = 0.875. Without workers, work counts as 1, so that the group
    leaves 0, and no work as 0, so that it returns there. Each instance would publish its slots
    once a minute; here they follow from the instances in service.

    Args:
        fleet: the template's fleet.
        slots: the messages that an instance takes at a time.
    """
    queries = (
        of_queue(fleet, VISIBLE, key="backlog"),
        of_queue(fleet, NOT_VISIBLE, key="inFlight"),
        _serving(fleet),
        MetricQuery("workers", expression=f"serving * {slots}"),
        MetricQuery("totalWork", expression="FILL(backlog, REPEAT) + FILL(inFlight, REPEAT)"),
        MetricQuery("ratio", expression="totalWork / workers"),
        MetricQuery(
            "utilization",
            expression="IF(FILL(workers, 0) > 0, ratio, IF(totalWork > 0, 1, 0))",
            label="utilization of the workers",
        ),
    )
    return _tracking(fleet, "UtilizationTracking", UTILIZATION, queries, least=0)


def _tracking(
    fleet: Fleet, name: str, target: float, queries: tuple[MetricQuery, ...], *, least: int
) -> Fleet:
    """Return the fleet with target tracking of the last of these queries."""
    policy = TargetTrackingPolicy(name, name, target, f"{name}High", f"{name}Low")
    alarms = tuple(tracking_alarms(policy, fleet.group.name, queries, queries[-1].id))
    group = replace(fleet.group, metrics=fleet.group.metrics | {IN_SERVICE})
    return under(replace(fleet, group=group), (policy,), alarms, least=least)


def _serving(fleet: Fleet) -> MetricQuery:
    return MetricQuery(
        "serving", MetricStat(group_metric(fleet.group, IN_SERVICE), MINUTE, "Average")
    )


def _of_signal(fleet: Fleet, key: str, name: str) -> MetricQuery:
    metric = signal_metric(fleet.queue.name, name)
    return MetricQuery(key, MetricStat(metric, SIGNAL_PERIOD, "Maximum"))
