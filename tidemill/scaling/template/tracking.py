"""Reader of a target tracking policy, and of the alarms that it creates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.alarms.alarm import verify
from tidemill.scaling.errors import ScalingError, TemplateError
from tidemill.scaling.policies.tracking import tracking_alarms
from tidemill.scaling.spec import Metric, MetricQuery, MetricStat, TargetTrackingPolicy
from tidemill.scaling.template.properties import (
    COUNT,
    entries,
    flag,
    needed,
    number,
    one_of,
    optional,
    part,
)
from tidemill.scaling.template.queries import read_queries

if TYPE_CHECKING:
    from tidemill.scaling.spec import Alarm, Group
    from tidemill.scaling.template.document import Document

CONFIGURATION = "TargetTrackingConfiguration"
PERIODS = (10, 30, 60)
"""Periods of a tracked metric in seconds ("Create a target tracking policy using high-resolution
metrics"); the default is a minute."""

MINUTE = 60
BY_GROUP = {
    "ASGAverageCPUUtilization": ("AWS/EC2", "CPUUtilization"),
    "ASGAverageNetworkIn": ("AWS/EC2", "NetworkIn"),
    "ASGAverageNetworkOut": ("AWS/EC2", "NetworkOut"),
}
"""The metric of each predefined one; its statistic is the average over the group (API reference,
PredefinedMetricSpecification)."""
PER_TARGET = "ALBRequestCountPerTarget"
TARGET_GROUP = "targetgroup/"

Tracked = tuple[tuple[MetricQuery, ...], str]
"""The queries of a tracked metric, and the id of the one that is compared with the target."""


def read_tracking(
    logical_id: str, name: str, properties: Document, group: Group
) -> tuple[TargetTrackingPolicy, tuple[Alarm, ...]]:
    """Return the policy with this logical id and its alarms.

    Raises:
        TemplateError: a property is missing, or the metric is not modelled.
    """
    where = f"Resources.{logical_id}.Properties"
    configuration = part(properties, CONFIGURATION, where)
    place = f"{where}.{CONFIGURATION}"
    if ("PredefinedMetricSpecification" in configuration) == (
        "CustomizedMetricSpecification" in configuration
    ):
        raise TemplateError(
            f"{place}: give either PredefinedMetricSpecification or CustomizedMetricSpecification"
        )
    target = number(configuration, "TargetValue", place)
    if target <= 0:
        raise TemplateError(f"{place}.TargetValue: {target:g} is not more than 0")
    scales_in = not flag(configuration, "DisableScaleIn", place, default=False)
    policy = TargetTrackingPolicy(
        logical_id=logical_id,
        name=name,
        target=target,
        high=f"{logical_id}AlarmHigh",
        low=f"{logical_id}AlarmLow" if scales_in else None,
        warmup=optional(properties, "EstimatedInstanceWarmup", where, COUNT),
    )
    if "PredefinedMetricSpecification" in configuration:
        queries, returned = _predefined(configuration, place, group)
    else:
        queries, returned = _customized(configuration, place)
    if len({query.stat.period for query in queries if query.stat}) != 1:
        raise TemplateError(f"{place}: give all metrics one and the same Period")
    alarms = tuple(tracking_alarms(policy, group.name, queries, returned))
    try:
        verify(alarms[0])
    except ScalingError as error:
        raise TemplateError(f"{place}: {error}") from error
    return policy, alarms


def _predefined(configuration: Document, where: str, group: Group) -> Tracked:
    where = f"{where}.PredefinedMetricSpecification"
    specification = part(configuration, "PredefinedMetricSpecification", where)
    kind = one_of((*BY_GROUP, PER_TARGET), specification, "PredefinedMetricType", where)
    if kind in BY_GROUP:
        metric = Metric(*BY_GROUP[kind], (("AutoScalingGroupName", group.name),))
        return (MetricQuery("m1", MetricStat(metric, MINUTE, "Average")),), "m1"
    label = needed(specification, "ResourceLabel", where)
    balancer, _, target = label.partition(f"/{TARGET_GROUP}")
    metric = Metric(
        "AWS/ApplicationELB",
        "RequestCountPerTarget",
        (("LoadBalancer", balancer), ("TargetGroup", TARGET_GROUP + target)),
    )
    return (MetricQuery("m1", MetricStat(metric, MINUTE, "Sum")),), "m1"


def _customized(configuration: Document, where: str) -> Tracked:
    where = f"{where}.CustomizedMetricSpecification"
    specification = part(configuration, "CustomizedMetricSpecification", where)
    given = {"Metrics": [_with_period(entry) for entry in entries(specification, "Metrics", where)]}
    queries, returned = read_queries(
        given if "Metrics" in specification else {"Period": MINUTE} | specification, where
    )
    for query in queries:
        if query.stat and query.stat.period not in PERIODS:
            raise TemplateError(f"{where}: a Period of {query.stat.period}: use 10, 30 or 60")
    return queries, returned


def _with_period(entry: Document) -> Document:
    """Return an entry of Metrics with its period, or with the default period."""
    statistic = entry.get("MetricStat")
    if not isinstance(statistic, dict):
        return entry
    return {**entry, "MetricStat": {"Period": MINUTE} | statistic}
