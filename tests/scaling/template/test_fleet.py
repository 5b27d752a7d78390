"""Readers of fleets: templates other than the product's."""

from __future__ import annotations

import copy
import json

import pytest
import yaml
from support.builders.fleets import (
    ABSENT,
    METRIC_STAT,
    changed,
    math_alarm_fleet,
    small_fleet,
    small_template,
)

from tidemill.scaling.group.hooks import LAUNCHING
from tidemill.scaling.spec import (
    AlarmState,
    Comparison,
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
from tidemill.scaling.template.policies import PREDICTIVE

SQS_CALL = "arn:aws:scheduler:::aws-sdk:sqs:tagQueue"
VISIBLE = Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", (("QueueName", "tidemill-Jobs"),))
LAUNCH_HOOK = {
    "Type": "AWS::AutoScaling::LifecycleHook",
    "Properties": {"AutoScalingGroupName": {"Ref": "Workers"}, "LifecycleTransition": LAUNCHING},
}


class TestSmallTemplates:
    """Templates other than the product's are read by the same rules."""

    def test_a_single_metric_alarm_is_read_with_cloudwatchs_defaults(self) -> None:
        """The alarm has one query, and all of its datapoints have to breach."""
        (alarm,) = small_fleet().alarms
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
        fleet = math_alarm_fleet(
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
        group = small_fleet(Workers__MinSize=1).group
        assert (group.desired, group.default_warmup, group.default_cooldown) == (1, None, 300)
        assert (group.hooks, group.metrics) == ((), frozenset())

    def test_a_collection_without_a_list_turns_every_group_metric_on(self) -> None:
        """MetricsCollection with a granularity alone enables all metrics."""
        group = small_fleet(Workers__MetricsCollection=[{"Granularity": "1Minute"}]).group
        assert {"GroupTotalInstances", "GroupDesiredCapacity"} <= group.metrics

    def test_a_warm_up_of_minus_1_is_none(self) -> None:
        """-1 removes the group's default warm-up."""
        assert small_fleet(Workers__DefaultInstanceWarmup=-1).group.default_warmup is None

    def test_a_hook_of_its_own_is_the_groups_as_well(self) -> None:
        """A hook resource counts; its defaults are an hour and ABANDON."""
        (hook,) = small_fleet(Resources__Hold=LAUNCH_HOOK).group.hooks
        assert hook == LifecycleHook("tidemill-Hold", LAUNCHING, 3600, "ABANDON")

    def test_a_redrive_policy_without_a_count_has_sqss_default(self) -> None:
        """The default is 10 receives; without a redrive policy there is no count."""
        assert small_fleet().queue.max_receive_count is None
        fleet = small_fleet(Jobs__RedrivePolicy={"deadLetterTargetArn": "arn"})
        assert fleet.queue.max_receive_count == 10

    def test_a_fifo_queue_is_known_as_one(self) -> None:
        """The simulator and the rig need it, because one group's messages wait for each other."""
        assert small_fleet(Jobs__FifoQueue=True).queue.fifo
        assert not small_fleet(Jobs__FifoQueue="false").queue.fifo
        assert not small_fleet().queue.fifo

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
        fleet = small_fleet(
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
        fleet = small_fleet(High__AlarmActions=["arn:topic", {"Fn::GetAtt": ["Out", "Arn"]}])
        assert fleet.alarms[0].actions == (OtherAction("arn:topic"), PolicyAction("Out"))

    def test_a_launch_template_is_found_by_its_name_and_under_mixed_instances(self) -> None:
        """Both places of a launch template give the user data."""
        specification = {"LaunchTemplateName": "machine", "Version": "1"}
        mixed = {"LaunchTemplate": {"LaunchTemplateSpecification": specification}}
        fleet = small_fleet(
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
        fleet = small_fleet(
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
        fleet = small_fleet(
            Resources__Topic=other, Resources__Off=disabled, Resources__Elsewhere=elsewhere
        )
        assert [alarm.logical_id for alarm in fleet.alarms] == ["High"]
        assert [policy.logical_id for policy in fleet.policies] == ["Out"]


def test_steps_come_out_as_they_stand() -> None:
    """An absent bound is unbounded."""
    (policy,) = small_fleet().policies
    assert isinstance(policy, StepScalingPolicy)
    assert policy.steps == (StepAdjustment(0.0, None, 1),)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        pytest.param({"Ref": "Jobs"}, "tidemill-Jobs", id="URL"),
        pytest.param({"Fn::GetAtt": ["Jobs", "Arn"]}, "tidemill-Jobs", id="ARN"),
        pytest.param("https://sqs.eu-west-1.amazonaws.com/1/other", "other", id="another queue"),
    ],
)
def test_a_queues_address_is_no_queue_name(value: object, name: str) -> None:
    """The queue is read with its own name, so that no datapoint is of the alarm's metric."""
    fleet = small_fleet(High__Dimensions__0__Value=value)
    assert fleet.queue.name == name
    assert fleet.queue.logical_id == ("Jobs" if name == "tidemill-Jobs" else "")
    stat = fleet.alarms[0].queries[0].stat
    assert stat is not None
    assert dict(stat.metric.dimensions)["QueueName"] != name
    assert any("is no QueueName: the alarms never get" in one for one in fleet.not_modelled)
