"""Readers of policies, and what they refuse."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from support.builders.fleets import ABSENT, small_fleet

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.spec import (
    AdjustmentType,
    Aggregation,
    SimpleScalingPolicy,
    StepScalingPolicy,
    TargetTrackingPolicy,
)

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet
    from tidemill.scaling.template.document import Document

QUEUE_NAME = {"Fn::GetAtt": ["Jobs", "QueueName"]}
SIMPLE: Document = {
    "Out__PolicyType": ABSENT,
    "Out__StepAdjustments": ABSENT,
    "Out__ScalingAdjustment": 2,
}
VISIBLE: Document = {
    "Metric": {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": QUEUE_NAME}],
    },
    "Stat": "Sum",
}
SERVING: Document = {
    "Metric": {
        "Namespace": "AWS/AutoScaling",
        "MetricName": "GroupInServiceInstances",
        "Dimensions": [{"Name": "AutoScalingGroupName", "Value": {"Ref": "Workers"}}],
    },
    "Stat": "Average",
}
PER_INSTANCE: Document = {
    "TargetValue": 100,
    "CustomizedMetricSpecification": {
        "Metrics": [
            {"Id": "v", "MetricStat": VISIBLE, "ReturnData": False},
            {"Id": "s", "MetricStat": SERVING, "ReturnData": False},
            {"Id": "e", "Expression": "v / s", "Label": "backlog per instance"},
        ]
    },
}
CPU: Document = {
    "TargetValue": 50,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
}


def tracked(configuration: Document, **properties: Any) -> Fleet:  # noqa: ANN401 - any property
    """Return the small template's fleet with a target tracking policy besides its own."""
    policy = {
        "AutoScalingGroupName": {"Ref": "Workers"},
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingConfiguration": configuration,
        **properties,
    }
    return small_fleet(
        Resources__Track={"Type": "AWS::AutoScaling::ScalingPolicy", "Properties": policy}
    )


def planned(**properties: Any) -> Fleet:  # noqa: ANN401 - any property
    """Return the small template's fleet with a scheduled action."""
    action = {"AutoScalingGroupName": {"Ref": "Workers"}, **properties}
    return small_fleet(
        Resources__Plan={"Type": "AWS::AutoScaling::ScheduledAction", "Properties": action}
    )


def test_a_policy_without_a_type_is_simple() -> None:
    """SimpleScaling is CloudFormation's default; its cooldown defaults to the group's."""
    (policy,) = small_fleet(**SIMPLE).policies
    assert policy == SimpleScalingPolicy("Out", "tidemill-Out", AdjustmentType.CHANGE, 2)
    (policy,) = small_fleet(**SIMPLE, Out__Cooldown="60").policies
    assert isinstance(policy, SimpleScalingPolicy)
    assert policy.cooldown == 60


def test_a_step_policy_may_aggregate_otherwise() -> None:
    """MetricAggregationType is read."""
    (policy,) = small_fleet(Out__MetricAggregationType="Maximum").policies
    assert isinstance(policy, StepScalingPolicy)
    assert policy.aggregation is Aggregation.MAXIMUM


def test_target_tracking_brings_its_alarms() -> None:
    """The alarms are on the tracked metric, with a default period of a minute."""
    fleet = tracked(PER_INSTANCE, EstimatedInstanceWarmup=90)
    assert fleet.policy("Track") == TargetTrackingPolicy(
        "Track", "tidemill-Track", 100, high="TrackAlarmHigh", low="TrackAlarmLow", warmup=90
    )
    high, low = fleet.alarms[1:]
    assert (high.logical_id, low.logical_id) == ("TrackAlarmHigh", "TrackAlarmLow")
    assert (high.period, high.returned, low.threshold) == (60, "e", 70)
    assert [query.expression for query in high.queries] == [None, None, "v / s"]


def test_a_predefined_metric_is_the_groups() -> None:
    """CPU utilization is not published here, and this is reported."""
    fleet = tracked({**CPU, "DisableScaleIn": True})
    (query,) = fleet.alarms[-1].queries
    assert query.stat is not None
    assert (query.stat.metric.name, query.stat.stat) == ("CPUUtilization", "Average")
    assert [alarm.logical_id for alarm in fleet.alarms] == ["High", "TrackAlarmHigh"]
    assert "nothing publishes AWS/EC2 CPUUtilization" in fleet.not_modelled[-1]


def test_requests_per_target_are_found_by_their_label() -> None:
    """The label names load balancer and target group."""
    fleet = tracked(
        {
            "TargetValue": 50,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "ALBRequestCountPerTarget",
                "ResourceLabel": "app/front/123/targetgroup/workers/456",
            },
        }
    )
    (query,) = fleet.alarms[-1].queries
    assert query.stat is not None
    assert query.stat.metric.dimensions == (
        ("LoadBalancer", "app/front/123"),
        ("TargetGroup", "targetgroup/workers/456"),
    )


def test_policies_and_actions_of_another_group_are_no_business_of_this_one() -> None:
    """They are left out without a report."""
    fleet = planned(AutoScalingGroupName="another", DesiredCapacity=1, StartTime="2030-01-01")
    assert fleet.scheduled == ()
    assert len(tracked(CPU, AutoScalingGroupName="another").policies) == 1


def without(configuration: Document, key: str) -> Document:
    """Return a copy of a configuration without one of its parts."""
    left = copy.deepcopy(configuration)
    del left[key]
    return left


@pytest.mark.parametrize(
    ("configuration", "text"),
    [
        pytest.param({"TargetValue": 1}, "give either Predefined", id="no-metric"),
        pytest.param({**CPU, **PER_INSTANCE}, "give either Predefined", id="both-metrics"),
        pytest.param(without(CPU, "TargetValue"), "TargetValue is missing", id="no-target"),
        pytest.param({**CPU, "TargetValue": 0}, "0 is not more than 0", id="target-zero"),
        pytest.param(
            {**CPU, "PredefinedMetricSpecification": {"PredefinedMetricType": "Moon"}},
            "'Moon' is not modelled: use ASGAverageCPUUtilization or",
            id="unknown",
        ),
        pytest.param(
            {
                "TargetValue": 1,
                "CustomizedMetricSpecification": {
                    "Metrics": [{"Id": "e", "Expression": "other / 2"}]
                },
            },
            "give all metrics one and the same Period",
            id="expression-over-nothing",
        ),
        pytest.param(
            {
                "TargetValue": 1,
                "CustomizedMetricSpecification": {
                    "Metrics": [{"Id": "v", "MetricStat": {**VISIBLE, "Period": 300}}]
                },
            },
            "a Period of 300: use 10, 30 or 60",
            id="period",
        ),
        pytest.param(
            {
                "TargetValue": 1,
                "CustomizedMetricSpecification": {
                    "Metrics": [{"Id": "v", "MetricStat": VISIBLE}] * 2
                },
            },
            "Metrics.v: this Id appears twice",
            id="twice",
        ),
        pytest.param(
            {
                "TargetValue": 1,
                "CustomizedMetricSpecification": {
                    "Metrics": [
                        {"Id": "v", "MetricStat": VISIBLE},
                        {"Id": "e", "Expression": "v / w", "ReturnData": False},
                        {"Id": "f", "Expression": "v", "MetricStat": VISIBLE},
                    ]
                },
            },
            "Metrics.f: give either MetricStat or Expression",
            id="both",
        ),
        pytest.param(
            {
                "TargetValue": 1,
                "CustomizedMetricSpecification": {
                    "Metrics": [
                        {"Id": "v", "MetricStat": VISIBLE},
                        {"Id": "e", "Expression": "v / 2"},
                    ]
                },
            },
            "2 entries return data",
            id="two-returned",
        ),
        pytest.param(
            {
                "TargetValue": 1,
                "CustomizedMetricSpecification": {
                    "Metrics": [
                        {"Id": "v", "MetricStat": VISIBLE, "ReturnData": False},
                        {"Id": "e", "Expression": "w / 2"},
                    ]
                },
            },
            'no metric and no expression has the id "w"',
            id="unknown-id",
        ),
    ],
)
def test_what_is_wrong_with_a_tracking_policy_is_reported(
    configuration: Document, text: str
) -> None:
    """The error has the place in the template."""
    with pytest.raises(TemplateError) as error:
        tracked(configuration)
    assert str(error.value).startswith("Resources.Track.Properties.TargetTrackingConfiguration")
    assert text in str(error.value)


def test_a_simple_policy_cannot_ask_for_less_than_nothing() -> None:
    """An exact capacity below 0 is refused."""
    with pytest.raises(TemplateError, match="an exact capacity cannot be negative"):
        small_fleet(
            **SIMPLE | {"Out__AdjustmentType": "ExactCapacity", "Out__ScalingAdjustment": -1}
        )
