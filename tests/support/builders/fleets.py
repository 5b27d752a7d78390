"""Builders of groups, policies, fleets and templates for tests of the scaling core."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.builders.alarms import an_alarm

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.group.hooks import TERMINATING
from tidemill.scaling.spec import (
    AdjustmentType,
    Fleet,
    Group,
    LifecycleHook,
    Queue,
    StepAdjustment,
    StepScalingPolicy,
)
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.fleet import read_fleet

if TYPE_CHECKING:
    from tidemill.scaling.spec import Alarm
    from tidemill.scaling.template.document import Document

PRODUCT_TEMPLATE = Path(__file__).parents[3] / "template.yaml"
DRAIN = LifecycleHook("drain", TERMINATING, heartbeat_timeout=300, default_result="CONTINUE")
ANYTHING = (StepAdjustment(0, None, 1),)


@cache
def product_text() -> str:
    """Return the text of the product's own template."""
    return PRODUCT_TEMPLATE.read_text(encoding="utf-8")


def product_template() -> Document:
    """Return the product's own template as data, which may be changed."""
    return copy.deepcopy(_parsed_product())


@cache
def _parsed_product() -> Document:
    return parse_template(product_text(), "template.yaml")


def product_fleet(**parameters: str) -> Fleet:
    """Return the fleet of the product's own template, with these parameters."""
    return read_fleet(product_template(), parameters)


def a_group(**changes: Any) -> Group:  # noqa: ANN401 - whatever a field of Group takes
    """Return a group of 0 to 10 without hooks, with changes."""
    group = Group(
        logical_id="WorkerGroup",
        name="workers",
        min_size=0,
        max_size=10,
        desired=0,
        metrics=METRICS,
    )
    return replace(group, **changes)


METRICS = frozenset({"GroupDesiredCapacity", "GroupInServiceInstances"})


def a_policy(**changes: Any) -> StepScalingPolicy:  # noqa: ANN401 - whatever a field takes
    """Return a policy that adds 1 instance at or above the threshold, without warm-up."""
    policy = StepScalingPolicy(
        logical_id="OutPolicy",
        name="out",
        adjustment_type=AdjustmentType.CHANGE,
        steps=ANYTHING,
        warmup=0,
    )
    return replace(policy, **changes)


def a_fleet(
    policies: tuple[StepScalingPolicy, ...] = (),
    alarms: tuple[Alarm, ...] = (),
    group: Group | None = None,
) -> Fleet:
    """Return a fleet; by default an alarm on one visible message in a minute adds an instance."""
    wakes = an_alarm(
        threshold=0.0, evaluation_periods=1, datapoints_to_alarm=1, actions=("OutPolicy",)
    )
    return Fleet(
        queue=Queue("Jobs", "jobs", visibility_timeout=30),
        group=group or a_group(),
        policies=policies or (a_policy(),),
        alarms=alarms or (wakes,),
        user_data="",
    )


SMALL: Document = {
    "Parameters": {"Most": {"Type": "Number", "Default": 3}},
    "Resources": {
        "Jobs": {"Type": "AWS::SQS::Queue"},
        "Machine": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {
                "LaunchTemplateData": {"UserData": {"Fn::Base64": {"Fn::Sub": "echo ${Jobs}"}}}
            },
        },
        "Workers": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "Properties": {
                "MinSize": "0",
                "MaxSize": {"Ref": "Most"},
                "LaunchTemplate": {"LaunchTemplateId": {"Ref": "Machine"}, "Version": "1"},
            },
        },
        "Out": {
            "Type": "AWS::AutoScaling::ScalingPolicy",
            "Properties": {
                "AutoScalingGroupName": {"Ref": "Workers"},
                "PolicyType": "StepScaling",
                "AdjustmentType": "ChangeInCapacity",
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
            },
        },
        "High": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "Namespace": "AWS/SQS",
                "MetricName": "ApproximateNumberOfMessagesVisible",
                "Dimensions": [
                    {"Name": "QueueName", "Value": {"Fn::GetAtt": ["Jobs", "QueueName"]}}
                ],
                "Statistic": "Maximum",
                "Period": 60,
                "EvaluationPeriods": 2,
                "Threshold": 5,
                "ComparisonOperator": "GreaterThanThreshold",
                "AlarmActions": [{"Ref": "Out"}],
            },
        },
    },
}
"""A template with only what a fleet needs."""

ABSENT = object()
"""A value for `changed` that removes a part."""


def changed(template: Document, **changes: Any) -> Document:  # noqa: ANN401 - any part
    """Return a copy of a template with other values at these paths.

    A path's steps are joined by two underscores; one below Resources.X.Properties starts with X,
    any other one with the section.
    """
    result = copy.deepcopy(template)
    for path, value in changes.items():
        *way, last = path.split("__")
        place: Any = result
        if way and way[0] in template["Resources"]:
            place = result["Resources"].setdefault(way.pop(0), {}).setdefault("Properties", {})
        for step in way:
            place = place[int(step)] if step.isdecimal() else place.setdefault(step, {})
        key: Any = int(last) if last.isdecimal() else last
        if value is ABSENT:
            del place[key]
        else:
            place[key] = value
    return result


def small_template(**changes: Any) -> Document:  # noqa: ANN401 - any part
    """Return the small template, changed."""
    return changed(SMALL, **changes)


def small_fleet(**changes: Any) -> Fleet:  # noqa: ANN401 - any part
    """Return the fleet of the small template, changed at these paths."""
    return read_fleet(small_template(**changes), {})


METRIC_STAT: Document = {
    "Metric": {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Jobs", "QueueName"]}}],
    },
    "Period": 60,
    "Stat": "Sum",
}
"""A MetricStat of the small template's queue, for an entry of Metrics."""


def math_alarm_fleet(*entries: Document, **changes: Any) -> Fleet:  # noqa: ANN401 - any part
    """Return the fleet of the small template with an alarm on these Metrics."""
    single = ("Namespace", "MetricName", "Dimensions", "Statistic", "Period")
    gone: dict[str, Any] = {f"High__{key}": ABSENT for key in single}
    return small_fleet(High__Metrics=list(entries), **gone, **changes)


def accepted(**changes: object) -> bool:
    """Return whether the small template is accepted with these changes."""
    try:
        read_fleet(small_template(**changes), {})
    except TemplateError:
        return False
    return True
