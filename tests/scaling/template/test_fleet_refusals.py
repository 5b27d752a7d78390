"""Errors of templates without a fleet: each names a place and a remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders.fleets import (
    ABSENT,
    METRIC_STAT,
    math_alarm_fleet,
    small_fleet,
    small_template,
)

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.template.fleet import read_fleet

if TYPE_CHECKING:
    from tidemill.scaling.template.document import Document


def refusal(**changes: Any) -> str:  # noqa: ANN401 - any part
    """Return the error that the small template ends in with these changes."""
    with pytest.raises(TemplateError) as error:
        small_fleet(**changes)
    return str(error.value)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        pytest.param(
            {"Resources__Workers": ABSENT},
            "Resources: there is no Auto Scaling group: add one",
            id="no-group",
        ),
        pytest.param({"Workers__MinSize": ABSENT}, "MinSize is missing: add it", id="no-minimum"),
        pytest.param({"Workers__MinSize": "x"}, "MinSize: 'x' is not a whole number", id="text"),
        pytest.param({"Workers__MinSize": "1.5"}, "'1.5' is not a whole number", id="fraction"),
        pytest.param({"Workers__MinSize": None}, "MinSize: no value, where one", id="null"),
        pytest.param({"Workers__MinSize": -1}, "-1 is out of bounds: give 0 to", id="negative"),
        pytest.param(
            {"Workers__MinSize": 5}, "MinSize 5 is more than MaxSize 3", id="min-over-max"
        ),
        pytest.param({"Workers__MaxSize": "9" * 999}, "is out of bounds: give 0 to", id="huge"),
        pytest.param({"Workers__MaxSize": [4]}, "MaxSize: a list, where one text", id="list"),
        pytest.param(
            {"Workers__DesiredCapacity": 9},
            "DesiredCapacity: 9 is out of bounds: give 0",
            id="over",
        ),
        pytest.param({"Workers__MetricsCollection": "x"}, "has to be a list", id="no-list"),
        pytest.param(
            {"Workers__LifecycleHookSpecificationList": ["x"]},
            "LifecycleHookSpecificationList[0] has to be a mapping",
            id="no-hook",
        ),
        pytest.param(
            {"Workers__LifecycleHookSpecificationList": [{"LifecycleTransition": "going"}]},
            "LifecycleTransition: 'going' is not modelled: use autoscaling:EC2_INSTANCE_LAUNCHING",
            id="odd-transition",
        ),
        pytest.param(
            {"Workers__LaunchTemplate": ABSENT}, "no launch template: give", id="no-template"
        ),
        pytest.param(
            {"Machine__LaunchTemplateData": {"UserData": ["x"]}},
            "Resources.Machine.Properties.LaunchTemplateData.UserData: a list",
            id="user-data-in-a-list",
        ),
        pytest.param({"Out__PolicyType": ABSENT}, "ScalingAdjustment is missing", id="simple"),
        pytest.param({"High__AlarmActions": []}, "no alarm triggers a scaling policy", id="idle"),
        pytest.param({"Out__AdjustmentType": "Double"}, "'Double' is not modelled: use", id="type"),
        pytest.param({"Out__StepAdjustments": []}, "needs at least one step", id="no-step"),
        pytest.param({"Out__StepAdjustments": {}}, "StepAdjustments has to be a list", id="steps"),
        pytest.param(
            {"Out__StepAdjustments__0__MetricIntervalUpperBound": 5},
            "Resources.Out.Properties.StepAdjustments: with a positive upper bound, one step must",
            id="a-hole-above",
        ),
        pytest.param(
            {"Out__StepAdjustments__0__MetricIntervalLowerBound": ".nan"},
            "MetricIntervalLowerBound: '.nan' is not a number",
            id="bound-nan",
        ),
        pytest.param(
            {"Out__StepAdjustments__0__ScalingAdjustment": ABSENT},
            "ScalingAdjustment is missing",
            id="step-without-adjustment",
        ),
        pytest.param(
            {
                "Out__AdjustmentType": "ExactCapacity",
                "Out__StepAdjustments__0__ScalingAdjustment": -1,
            },
            "an exact capacity cannot be negative",
            id="exactly-minus-1",
        ),
        pytest.param({"High__Threshold": ABSENT}, "Threshold is missing", id="no-threshold"),
        pytest.param({"High__Threshold": "1e999"}, "'1e999' is not a number", id="endless"),
        pytest.param({"High__Period": 90}, "Period: 90 is not 10, 20, 30 or a mul", id="period"),
        pytest.param({"High__Period": ABSENT}, "Period is missing", id="no-period"),
        pytest.param({"High__EvaluationPeriods": 0}, "give 1 to 1440", id="no-evaluation"),
        pytest.param({"High__EvaluationPeriods": 10**12}, "give 1 to 1440", id="for-ever"),
        pytest.param(
            {"High__DatapointsToAlarm": 3}, "3 is out of bounds: give 1 to 2", id="m-of-n"
        ),
        pytest.param(
            {"High__ComparisonOperator": "~"}, "'~' is not modelled: use", id="comparison"
        ),
        pytest.param({"High__TreatMissingData": "no"}, "'no' is not modelled: use", id="missing"),
        pytest.param({"High__Statistic": "p99"}, "Resources.High: statistic 'p99' is", id="p99"),
        pytest.param({"High__Statistic": ABSENT}, "Statistic is missing", id="no-statistic"),
        pytest.param({"High__ExtendedStatistic": "p9"}, "use Statistic", id="extended-statistic"),
        pytest.param({"High__MetricName": ABSENT}, "MetricName is missing", id="no-metric"),
        pytest.param(
            {"High__Dimensions": [{"Name": "x"}]}, "Value is missing", id="half-dimension"
        ),
        pytest.param(
            {"High__Dimensions": ABSENT}, "the scaling alarms watch no queue", id="no-queue"
        ),
        pytest.param({"High__ActionsEnabled": "maybe"}, "neither true nor false", id="no-boolean"),
        pytest.param({"High__AlarmActions": "Out"}, "AlarmActions has to be a list", id="actions"),
        pytest.param({"High__AlarmActions": ["a"] * 6}, "6 are more than 5", id="too-many-actions"),
        pytest.param({"Jobs__VisibilityTimeout": 99999}, "give 0 to 43200", id="visibility"),
        pytest.param(
            {"Jobs__RedrivePolicy": "x"}, "RedrivePolicy has to be a mapping", id="redrive"
        ),
        pytest.param(
            {"Out__AutoScalingGroupName": {"Ref": "Nobody"}},
            "Resources.Out.Properties.AutoScalingGroupName: there is no parameter or resource Nob",
            id="a-reference-to-nobody",
        ),
        pytest.param(
            {"Jobs__QueueName": {"Fn::Cidr": ["a"]}}, "Fn::Cidr is not supported here", id="cidr"
        ),
        pytest.param(
            {"Conditions__No": {"Fn::Equals": [1, 2]}, "Resources__Jobs__Condition": "No"},
            "Jobs is not created, as its condition No is false",
            id="a-reference-to-what-is-not-there",
        ),
        pytest.param(
            {"Conditions__No": {"Condition": "No"}, "Resources__Jobs__Condition": "No"},
            "Conditions.No refers to itself",
            id="a-circle",
        ),
    ],
)
def test_what_is_wrong_is_reported_in_one_line_with_its_place(
    changes: dict[str, Any], text: str
) -> None:
    """The error has the place in the template and the remedy."""
    text_of_error = refusal(**changes)
    assert text in text_of_error
    assert text_of_error.startswith(("Resources", "Conditions"))
    assert text_of_error.isprintable()


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        pytest.param([], "Metrics: 0 entries return data", id="none"),
        pytest.param(
            [{"Id": "e", "Expression": "1"}],
            "give all metrics of the alarm one and the same Period",
            id="no-metric",
        ),
        pytest.param([{"Expression": "1"}], "Properties.Metrics: Id is missing", id="no-id"),
        pytest.param(
            [{"Id": "a"}], "Metrics.a: give either MetricStat or Expression", id="neither"
        ),
        pytest.param(
            [{"Id": "a", "MetricStat": METRIC_STAT}] * 2,
            "Metrics.a: this Id appears twice",
            id="twice",
        ),
        pytest.param(
            [{"Id": "a", "MetricStat": METRIC_STAT}, {"Id": "b", "Expression": "a"}],
            "Metrics: 2 entries return data: set ReturnData: false on all but one",
            id="two-return-data",
        ),
        pytest.param(
            [
                {"Id": "a", "MetricStat": METRIC_STAT, "ReturnData": False},
                {"Id": "b", "Expression": "a +"},
            ],
            "Resources.High: unexpected end at column 4",
            id="broken-expression",
        ),
        pytest.param(
            [
                {"Id": "a", "MetricStat": METRIC_STAT, "ReturnData": False},
                {"Id": "b", "Expression": "c"},
            ],
            'Resources.High: no metric and no expression has the id "c"',
            id="unknown-id",
        ),
        pytest.param(
            [
                {"Id": "a", "MetricStat": METRIC_STAT},
                {"Id": "b", "MetricStat": METRIC_STAT | {"Period": 300}, "ReturnData": False},
            ],
            "one and the same Period",
            id="two-periods",
        ),
        pytest.param(
            [{"Id": "a", "MetricStat": {}}], "Metrics.a.MetricStat: Period is missing", id="empty"
        ),
        pytest.param([{"Id": "a", "MetricStat": "x"}], "MetricStat has to be a mapping", id="text"),
        pytest.param(
            [{"Id": f"m{n}", "MetricStat": METRIC_STAT, "ReturnData": n == 0} for n in range(11)],
            "Metrics: more than 10 metrics",
            id="too-many",
        ),
    ],
)
def test_what_is_wrong_with_metric_math_is_reported_in_one_line(
    entries: list[Document], text: str
) -> None:
    """The error names the alarm, and the entry where there is one."""
    with pytest.raises(TemplateError) as error:
        math_alarm_fleet(*entries)
    assert text in str(error.value)
    assert str(error.value).startswith("Resources.High")


def test_a_template_nested_beyond_reason_is_refused() -> None:
    """Too deep nesting leads to a TemplateError."""
    deep: Any = "x"
    for _ in range(2000):
        deep = [deep]
    assert "nested too deep" in refusal(Jobs__Tags=deep)


def test_a_template_whose_service_scales_is_not_told_to_add_an_alarm() -> None:
    """Application Auto Scaling scales its tasks; that is named instead of a remedy."""
    template = small_template(High__AlarmActions=[])
    template["Resources"]["Tasks"] = {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy"}
    with pytest.raises(TemplateError, match="Tasks scale something else, which is not modelled"):
        read_fleet(template, {})
