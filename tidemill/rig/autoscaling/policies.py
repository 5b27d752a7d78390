"""Scaling policies of every kind, in the form of DescribePolicies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.rig.autoscaling.names import alarm_arn, policy_arn
from tidemill.scaling.spec import SimpleScalingPolicy, StepScalingPolicy, TargetTrackingPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.spec import Fleet, MetricQuery, MetricStat, Policy

    Shown = dict[str, Any]


def show_policy(fleet: Fleet, policy: Policy) -> Shown:
    """Return a policy and the alarms that trigger it."""
    return {
        "AutoScalingGroupName": fleet.group.name,
        "PolicyName": policy.name,
        "PolicyARN": policy_arn(fleet.group.name, policy.name),
        **_own(fleet, policy),
        "Alarms": list(_alarms(fleet, policy)),
        "Enabled": True,
    }


def _own(fleet: Fleet, policy: Policy) -> Shown:
    """Return the fields that only policies of this kind have."""
    match policy:
        case StepScalingPolicy():
            return {
                "PolicyType": "StepScaling",
                "AdjustmentType": policy.adjustment_type.value,
                "MinAdjustmentMagnitude": policy.min_adjustment_magnitude,
                "StepAdjustments": [
                    {
                        "MetricIntervalLowerBound": step.lower,
                        "MetricIntervalUpperBound": step.upper,
                        "ScalingAdjustment": step.adjustment,
                    }
                    for step in policy.steps
                ],
                "MetricAggregationType": policy.aggregation.value,
                "EstimatedInstanceWarmup": policy.warmup,
            }
        case SimpleScalingPolicy():
            return {
                "PolicyType": "SimpleScaling",
                "AdjustmentType": policy.adjustment_type.value,
                "MinAdjustmentMagnitude": policy.min_adjustment_magnitude,
                "ScalingAdjustment": policy.adjustment,
                "Cooldown": policy.cooldown,
            }
        case TargetTrackingPolicy():
            return {
                "PolicyType": "TargetTrackingScaling",
                "EstimatedInstanceWarmup": policy.warmup,
                "TargetTrackingConfiguration": {
                    "CustomizedMetricSpecification": {
                        "Metrics": list(_tracked(fleet, policy)),
                    },
                    "TargetValue": policy.target,
                    "DisableScaleIn": policy.low is None,
                },
            }


def _alarms(fleet: Fleet, policy: Policy) -> Iterator[Shown]:
    for alarm in fleet.alarms:
        if policy.logical_id in alarm.policies:
            yield {"AlarmName": alarm.name, "AlarmARN": alarm_arn(alarm.name)}


def _tracked(fleet: Fleet, policy: TargetTrackingPolicy) -> Iterator[Shown]:
    """Yield the metrics that a policy tracks, as queries of its alarm.

    A predefined metric is returned as a customized one, because the fleet does not keep which of
    the two the template uses.
    """
    for alarm in fleet.alarms:
        if alarm.logical_id == policy.high:
            for query in alarm.queries:
                yield _query(query, returned=query.id == alarm.returned)


def _query(query: MetricQuery, *, returned: bool) -> Shown:
    return {
        "Id": query.id,
        "Expression": query.expression,
        "MetricStat": None if query.stat is None else _stat(query.stat, query.unit),
        "Label": query.label or None,
        "ReturnData": returned,
    }


def _stat(stat: MetricStat, unit: str | None) -> Shown:
    return {
        "Metric": {
            "Namespace": stat.metric.namespace,
            "MetricName": stat.metric.name,
            "Dimensions": [
                {"Name": name, "Value": value} for name, value in stat.metric.dimensions
            ],
        },
        "Stat": stat.stat,
        "Unit": unit,
        "Period": stat.period,
    }
