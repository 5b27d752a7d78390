"""Readers of fleets, and errors of templates without one."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders.fleets import ABSENT, changed, product_fleet, product_template, small_template

from tidemill.scaling.errors import ParameterError, ScalingError, TemplateError
from tidemill.scaling.group.hooks import LAUNCHING, TERMINATING
from tidemill.scaling.spec import (
    AdjustmentType,
    AlarmState,
    Comparison,
    Fleet,
    LifecycleHook,
    Metric,
    MissingData,
    OtherAction,
    PolicyAction,
    StepAdjustment,
    StepScalingPolicy,
)
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.fleet import read_fleet
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.policies import PREDICTIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.template.document import Document

SQS_CALL = "arn:aws:scheduler:::aws-sdk:sqs:tagQueue"
VISIBLE = Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", (("QueueName", "tidemill-Jobs"),))
METRIC_STAT = {
    "Metric": {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Jobs", "QueueName"]}}],
    },
    "Period": 60,
    "Stat": "Sum",
}
LAUNCH_HOOK = {
    "Type": "AWS::AutoScaling::LifecycleHook",
    "Properties": {"AutoScalingGroupName": {"Ref": "Workers"}, "LifecycleTransition": LAUNCHING},
}


def read(**changes: Any) -> Fleet:  # noqa: ANN401 - any part
    """Return the fleet of the small template, changed at these paths."""
    return read_fleet(small_template(**changes), {})


def math_alarm(*entries: Document, **changes: Any) -> Fleet:  # noqa: ANN401 - any part
    """Return the fleet of the small template with an alarm on these Metrics."""
    single = ("Namespace", "MetricName", "Dimensions", "Statistic", "Period")
    gone: dict[str, Any] = {f"High__{key}": ABSENT for key in single}
    return read(High__Metrics=list(entries), **gone, **changes)


class TestTheProductsTemplate:
    """The core's specification has the values of template.yaml."""

    def test_the_group_goes_from_0_to_4_and_drains_by_a_hook(self) -> None:
        """Limits, warm-up, hook and metrics are the template's."""
        group = product_fleet().group
        assert (group.name, group.min_size, group.max_size) == ("tidemill-workers", 0, 4)
        assert (group.desired, group.default_warmup) == (0, 60)
        (hook,) = group.hooks
        assert (hook.name, hook.transition) == ("drain", TERMINATING)
        assert hook.default_result == "CONTINUE"
        assert "GroupDesiredCapacity" in group.metrics

    def test_the_queue_is_the_one_that_the_alarms_watch(self) -> None:
        """The fleet's queue is the work queue, not the dead-letter queue."""
        fleet = product_fleet(MaxReceiveCount="7")
        assert (fleet.queue.logical_id, fleet.queue.max_receive_count) == ("WorkQueue", 7)
        watched = {
            query.stat.metric.dimensions
            for alarm in fleet.alarms
            for query in alarm.queries
            if query.stat and query.stat.metric.namespace == "AWS/SQS"
        }
        assert watched == {(("QueueName", fleet.queue.name),)}

    def test_one_alarm_triggers_one_policy_with_work_and_without(self) -> None:
        """With the fast signal a second alarm runs it, for a shortage only."""
        fleet = product_fleet(FastSignal="true")
        assert {
            alarm.logical_id: (
                alarm.policies_in(AlarmState.ALARM),
                alarm.policies_in(AlarmState.OK),
            )
            for alarm in fleet.alarms
        } == {
            "BacklogAlarm": (("BacklogPolicy",), ("BacklogPolicy",)),
            "BacklogRisingAlarm": (("BacklogPolicy",), ()),
        }
        assert [alarm.logical_id for alarm in product_fleet().alarms] == ["BacklogAlarm"]
        (policy,) = fleet.policies
        assert isinstance(policy, StepScalingPolicy)
        assert policy.adjustment_type is AdjustmentType.EXACT

    def test_parameters_reach_every_part(self) -> None:
        """Limits, alarms, expressions and user data follow the parameters."""
        fleet = product_fleet(
            MaxInstances="7", HoldSeconds="900", BacklogPerInstance="50", PollWaitSeconds="0"
        )
        assert fleet.group.max_size == 7
        assert fleet.alarms[0].period == 900
        assert "CEIL((visible + inflight) / 50)" in {
            query.expression for query in fleet.alarms[0].queries
        }
        assert "--env POLL_WAIT_SECONDS=0 " in fleet.user_data

    def test_user_data_is_the_script_with_nothing_left_to_resolve(self) -> None:
        """The script starts as a script and holds the queue's URL."""
        fleet = product_fleet()
        url = f"https://sqs.us-east-1.amazonaws.com/000000000000/{fleet.queue.name}"
        assert fleet.user_data.startswith("#!/bin/bash\n")
        assert f"QUEUE_URL={url} " in fleet.user_data
        assert "${AWS::" not in fleet.user_data

    def test_everything_that_scales_is_modelled(self) -> None:
        """Nothing is left out, and every watched metric is published."""
        assert product_fleet().not_modelled == ()

    def test_deployed_names_take_the_place_of_made_up_ones(self) -> None:
        """Alarms watch the deployed queue by its real name."""
        physical = {"WorkQueue": {"Ref": "http://localhost/work", "QueueName": "work"}}
        fleet = read_fleet(product_template(), {}, Place(physical=physical))
        assert fleet.queue.name == "work"
        assert "QUEUE_URL=http://localhost/work" in fleet.user_data
        assert fleet.not_modelled == ()

    @pytest.mark.parametrize("value", ["0", "11", "", "many", "2.5.1"])
    def test_a_parameter_out_of_bounds_is_reported_with_its_bounds(self, value: str) -> None:
        """The error has the template's ConstraintDescription."""
        with pytest.raises(ParameterError, match=rf"^parameter MaxInstances={value}: give 1 to 10"):
            product_fleet(MaxInstances=value)


class TestSmallTemplates:
    """Templates other than the product's are read by the same rules."""

    def test_a_single_metric_alarm_is_read_with_cloudwatchs_defaults(self) -> None:
        """The alarm has one query, and all of its datapoints have to breach."""
        (alarm,) = read().alarms
        (query,) = alarm.queries
        assert query.stat is not None
        assert (query.stat.metric, query.stat.period, query.stat.stat) == (VISIBLE, 60, "Maximum")
        assert alarm.returned == query.id
        assert (alarm.comparison, alarm.threshold) == (Comparison.GREATER, 5.0)
        assert (alarm.evaluation_periods, alarm.datapoints_to_alarm) == (2, 2)
        assert alarm.missing_data is MissingData.MISSING
        assert alarm.policies_in(AlarmState.ALARM) == ("Out",)

    def test_a_metric_math_alarm_is_read_with_the_query_it_returns(self) -> None:
        """The entry that returns data is the one that is compared."""
        fleet = math_alarm(
            {"Id": "e", "Expression": {"Fn::Sub": "v * ${Most}"}, "Label": "thrice"},
            {"Id": "v", "MetricStat": METRIC_STAT, "ReturnData": "false"},
            High__DatapointsToAlarm=1,
            High__TreatMissingData="breaching",
        )
        (alarm,) = fleet.alarms
        assert alarm.returned == "e"
        assert [(query.id, query.expression, query.label) for query in alarm.queries] == [
            ("e", "v * 3", "thrice"),
            ("v", None, ""),
        ]
        assert (alarm.datapoints_to_alarm, alarm.missing_data) == (1, MissingData.BREACHING)

    def test_a_bare_group_has_auto_scalings_defaults(self) -> None:
        """No warm-up, a cooldown of 300 s, the minimum as desired capacity, no metrics."""
        group = read(Workers__MinSize=1).group
        assert (group.desired, group.default_warmup, group.default_cooldown) == (1, None, 300)
        assert (group.hooks, group.metrics) == ((), frozenset())

    def test_a_collection_without_a_list_turns_every_group_metric_on(self) -> None:
        """MetricsCollection with a granularity alone enables all metrics."""
        group = read(Workers__MetricsCollection=[{"Granularity": "1Minute"}]).group
        assert {"GroupTotalInstances", "GroupDesiredCapacity"} <= group.metrics

    def test_a_warm_up_of_minus_1_is_none(self) -> None:
        """-1 removes the group's default warm-up."""
        assert read(Workers__DefaultInstanceWarmup=-1).group.default_warmup is None

    def test_a_hook_of_its_own_is_the_groups_as_well(self) -> None:
        """A hook resource counts; its defaults are an hour and ABANDON."""
        (hook,) = read(Resources__Hold=LAUNCH_HOOK).group.hooks
        assert hook == LifecycleHook("tidemill-Hold", LAUNCHING, 3600, "ABANDON")

    def test_a_redrive_policy_without_a_count_has_sqss_default(self) -> None:
        """The default is 10 receives; without a redrive policy there is no count."""
        assert read().queue.max_receive_count is None
        fleet = read(Jobs__RedrivePolicy={"deadLetterTargetArn": "arn"})
        assert fleet.queue.max_receive_count == 10

    @pytest.mark.parametrize(
        ("rate", "arn", "queue", "awake"),
        [
            pytest.param("rate(5 hours)", SQS_CALL, "Jobs", True, id="in-time"),
            pytest.param("rate(6 hours)", SQS_CALL, "Jobs", True, id="just-in-time"),
            pytest.param("rate(1 day)", SQS_CALL, "Jobs", False, id="too-late"),
            pytest.param("cron(0 0 * * ? *)", SQS_CALL, "Jobs", False, id="no-rate"),
            pytest.param("rate(5 hours)", SQS_CALL, "Dead", False, id="another-queue"),
            pytest.param("rate(5 hours)", "arn:aws:lambda:::f", "Jobs", False, id="no-call-of-sqs"),
        ],
    )
    def test_a_schedule_that_uses_the_queue_keeps_it_awake(
        self, rate: str, arn: str, queue: str, *, awake: bool
    ) -> None:
        """Any call to SQS at least every six hours is enough."""
        fleet = read(
            Resources__Dead={"Type": "AWS::SQS::Queue"},
            Resources__Beat={
                "Type": "AWS::Scheduler::Schedule",
                "Properties": {
                    "ScheduleExpression": rate,
                    "FlexibleTimeWindow": {"Mode": "OFF"},
                    "Target": {
                        "Arn": arn,
                        "RoleArn": "arn:role",
                        "Input": {"Fn::Sub": f'{{"QueueUrl": "${{{queue}}}"}}'},
                    },
                },
            },
        )
        assert fleet.queue.kept_awake == awake

    def test_a_policy_is_triggered_by_its_arn_too(self) -> None:
        """Ref and GetAtt Arn of a policy are the same."""
        fleet = read(High__AlarmActions=["arn:topic", {"Fn::GetAtt": ["Out", "Arn"]}])
        assert fleet.alarms[0].actions == (OtherAction("arn:topic"), PolicyAction("Out"))

    def test_a_launch_template_is_found_by_its_name_and_under_mixed_instances(self) -> None:
        """Both places of a launch template give the user data."""
        specification = {"LaunchTemplateName": "machine", "Version": "1"}
        mixed = {"LaunchTemplate": {"LaunchTemplateSpecification": specification}}
        fleet = read(
            Machine__LaunchTemplateName="machine",
            Workers__LaunchTemplate=ABSENT,
            Workers__MixedInstancesPolicy=mixed,
        )
        assert fleet.user_data.startswith("echo https://")

    def test_yaml_and_json_give_the_same_fleet(self) -> None:
        """The form of the template does not matter."""
        texts = [yaml.safe_dump(small_template()), json.dumps(small_template())]
        first, second = (read_fleet(parse_template(text, "t"), {}) for text in texts)
        assert first == second

    @pytest.mark.parametrize(("most", "sizes"), [("3", 1), ("1", 0)])
    def test_conditions_decide_what_is_there(self, most: str, sizes: int) -> None:
        """A resource, a property and a hook exist only if their condition is true."""
        template = small_template(
            Conditions__Many={"Fn::Not": [{"Fn::Equals": [{"Ref": "Most"}, 1]}]},
            Conditions__Few={"Fn::Not": [{"Condition": "Many"}]},
            Resources__Hold={**LAUNCH_HOOK, "Condition": "Many"},
            Resources__Spare={"Type": "AWS::AutoScaling::AutoScalingGroup", "Condition": "Never"},
            Conditions__Never={"Fn::And": [{"Condition": "Few"}, {"Condition": "Many"}]},
            Workers__DesiredCapacity={"Fn::If": ["Many", 1, {"Ref": "AWS::NoValue"}]},
        )
        group = read_fleet(template, {"Most": most}).group
        assert (len(group.hooks), group.desired) == (sizes, sizes)

    def test_what_scaling_here_leaves_out_is_reported(self) -> None:
        """Each thing that acts in AWS and not here has its sentence."""
        fleet = read(
            Workers__TerminationPolicies=["AllocationStrategy", "OldestInstance"],
            Resources__Other={
                "Type": "AWS::AutoScaling::ScalingPolicy",
                "Properties": {
                    "AutoScalingGroupName": {"Ref": "Workers"},
                    "PolicyType": "PredictiveScaling",
                },
            },
            Resources__Age=changed(small_template(), High__MetricName="Age")["Resources"]["High"],
        )
        assert fleet.not_modelled == (
            "Resources.Workers.Properties.TerminationPolicies: AllocationStrategy is not modelled",
            f"Resources.Other.Properties: {PREDICTIVE}",
            "Resources.Age: nothing publishes AWS/SQS Age {'QueueName': 'tidemill-Jobs'} here",
        )

    def test_alarms_and_policies_of_others_are_no_business_of_the_fleets(self) -> None:
        """Alarms without these policies, disabled ones, and other groups' policies do not count."""
        high = small_template()["Resources"]["High"]
        other = copy.deepcopy(high)
        other["Properties"] |= {"AlarmActions": ["arn:topic"], "Threshold": "whatever"}
        disabled = copy.deepcopy(high)
        disabled["Properties"]["ActionsEnabled"] = "False"
        elsewhere = copy.deepcopy(small_template()["Resources"]["Out"])
        elsewhere["Properties"]["AutoScalingGroupName"] = "another"
        fleet = read(
            Resources__Topic=other, Resources__Off=disabled, Resources__Elsewhere=elsewhere
        )
        assert [alarm.logical_id for alarm in fleet.alarms] == ["High"]
        assert [policy.logical_id for policy in fleet.policies] == ["Out"]


def refusal(**changes: Any) -> str:  # noqa: ANN401 - any part
    """Return the error that the small template ends in with these changes."""
    with pytest.raises(TemplateError) as error:
        read(**changes)
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
        math_alarm(*entries)
    assert text in str(error.value)
    assert str(error.value).startswith("Resources.High")


def test_a_template_nested_beyond_reason_is_refused() -> None:
    """Too deep nesting leads to a TemplateError."""
    deep: Any = "x"
    for _ in range(2000):
        deep = [deep]
    assert "nested too deep" in refusal(Jobs__Tags=deep)


def test_steps_come_out_as_they_stand() -> None:
    """An absent bound is unbounded."""
    (policy,) = read().policies
    assert isinstance(policy, StepScalingPolicy)
    assert policy.steps == (StepAdjustment(0.0, None, 1),)


# Fuzzing: the product's template with parts of it missing or of another kind.

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.just(10**30),
    st.floats(),
    st.text(alphabet="aX0{$}.\n", max_size=5),
    st.just([]),
    st.just({}),
    st.just(["x"]),
    st.just({"Ref": "WorkQueue"}),
    st.just({"Ref": "AWS::NoValue"}),
    st.just({"Fn::GetAtt": ["WorkQueue", "Arn"]}),
    st.just({"Fn::If": ["No", 1, 2]}),
    st.just({"Condition": "x"}),
)
PARTS_READ = ("Parameters", "Conditions", "Resources")


def places(part: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401 - any part
    """Yield the path of every part of a template that the core may look at."""
    if isinstance(part, dict):
        for key, value in part.items():
            if path or key in PARTS_READ:
                yield (*path, key)
                yield from places(value, (*path, key))
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield (*path, index)
            yield from places(value, (*path, index))


PLACES = [
    path for path in places(product_template()) if len(path) == 1 or "Role" not in str(path[1])
]


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK, st.booleans()), min_size=1, max_size=3))
def test_a_template_with_any_part_replaced_is_a_fleet_or_an_error(
    damages: list[tuple[tuple[str | int, ...], Any, bool]],
) -> None:
    """Any damage leads to a fleet or a one-line error."""
    template: Any = product_template()
    for path, junk, removed in damages:
        _damage(template, path, junk, removed=removed)
    try:
        fleet = read_fleet(parse_template(json.dumps(template), "t.json"), {})
    except ScalingError as error:
        assert str(error).isprintable()  # noqa: PT017 - most end here
    else:
        assert isinstance(fleet, Fleet)


def _damage(template: Any, path: tuple[str | int, ...], junk: Any, *, removed: bool) -> None:  # noqa: ANN401 - any part
    """Replace or remove a part, where an earlier damage has left it there."""
    *way, last = path
    try:
        for step in way:
            template = template[step]
        template[last]
    except (IndexError, KeyError, TypeError):
        return
    if isinstance(template, str):
        return
    if removed:
        del template[last]
    else:
        template[last] = junk
