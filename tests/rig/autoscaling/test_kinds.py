"""The local Auto Scaling API with every kind of policy, a warm pool, a schedule and Standby.

The module is over 280 lines because all of its tests share one template with every feature.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.exceptions import ClientError
from support.builders.fleets import small_template
from support.fakes.groups import NOW, ONE, TWO, GroupInMemory

from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Hold
from tidemill.scaling.template.fleet import read_fleet

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient

NAME: Final = "tidemill-Workers"
GROUP: Final = {"Ref": "Workers"}
METRIC: Final = {
    "MetricName": "ApproximateNumberOfMessagesVisible",
    "Namespace": "AWS/SQS",
    "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["Jobs", "QueueName"]}}],
    "Statistic": "Average",
}
EVERYTHING: Final[dict[str, Any]] = {
    "Simple": {
        "Type": "AWS::AutoScaling::ScalingPolicy",
        "Properties": {
            "AutoScalingGroupName": GROUP,
            "PolicyType": "SimpleScaling",
            "AdjustmentType": "ChangeInCapacity",
            "ScalingAdjustment": 1,
            "Cooldown": "60",
        },
    },
    "Tracking": {
        "Type": "AWS::AutoScaling::ScalingPolicy",
        "Properties": {
            "AutoScalingGroupName": GROUP,
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingConfiguration": {
                "TargetValue": 10,
                "DisableScaleIn": True,
                "CustomizedMetricSpecification": METRIC,
            },
        },
    },
    "Nightly": {
        "Type": "AWS::AutoScaling::ScheduledAction",
        "Properties": {
            "AutoScalingGroupName": GROUP,
            "MinSize": 2,
            "Recurrence": "0 20 * * *",
            "TimeZone": "Europe/Berlin",
        },
    },
    "Once": {
        "Type": "AWS::AutoScaling::ScheduledAction",
        "Properties": {
            "AutoScalingGroupName": GROUP,
            "DesiredCapacity": 3,
            "StartTime": "2030-01-31T08:00:00Z",
        },
    },
    "Pool": {
        "Type": "AWS::AutoScaling::WarmPool",
        "Properties": {"AutoScalingGroupName": GROUP, "MinSize": 1, "PoolState": "Running"},
    },
}


@pytest.fixture
def group() -> GroupInMemory:
    """Return a group with every feature, two instances in service and one in its warm pool."""
    template = small_template(
        Workers__TerminationPolicies=["OldestInstance", "Default"],
        Workers__HealthCheckGracePeriod=90,
        Workers__NewInstancesProtectedFromScaleIn=True,
        Workers__InstanceMaintenancePolicy={
            "MinHealthyPercentage": 90,
            "MaxHealthyPercentage": 120,
        },
    )
    template["Resources"] |= EVERYTHING
    group = GroupInMemory()
    group.fleet = read_fleet(template, {})
    group.memory = GroupMemory(2)
    group.turn()
    return group


def described(client: AutoScalingClient) -> dict[str, Any]:
    """Return the description of the group."""
    (shown,) = client.describe_auto_scaling_groups()["AutoScalingGroups"]
    return dict(shown)


def states(client: AutoScalingClient) -> dict[str, str]:
    """Return each instance's state."""
    shown = client.describe_auto_scaling_instances()["AutoScalingInstances"]
    return {item["InstanceId"]: item["LifecycleState"] for item in shown}


# ---- what the group is


def test_the_groups_own_settings_are_shown(client: AutoScalingClient) -> None:
    """They are those of the template."""
    shown = described(client)
    assert shown["TerminationPolicies"] == ["OldestInstance", "Default"]
    assert shown["HealthCheckGracePeriod"] == 90
    assert shown["NewInstancesProtectedFromScaleIn"] is True
    assert shown["InstanceMaintenancePolicy"] == {
        "MinHealthyPercentage": 90,
        "MaxHealthyPercentage": 120,
    }


def test_limits_are_those_that_a_scheduled_action_has_set(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """They hold until a request sets others."""
    group.memory = replace(group.memory, min_size=1, max_size=2)
    shown = described(client)
    assert (shown["MinSize"], shown["MaxSize"]) == (1, 2)
    client.update_auto_scaling_group(AutoScalingGroupName=NAME, MaxSize=3)
    shown = described(client)
    assert (shown["MinSize"], shown["MaxSize"]) == (1, 3)


def test_a_pools_instances_are_not_the_groups(client: AutoScalingClient) -> None:
    """DescribeWarmPool shows them, and DescribeAutoScalingInstances too."""
    shown = described(client)
    assert [item["InstanceId"] for item in shown["Instances"]] == [ONE, TWO]
    assert (shown["WarmPoolSize"], shown["WarmPoolConfiguration"]["PoolState"]) == (1, "Running")
    pool = client.describe_warm_pool(AutoScalingGroupName=NAME)
    assert pool["WarmPoolConfiguration"] == {"MinSize": 1, "PoolState": "Running"}
    (pooled,) = pool["Instances"]
    assert pooled["LifecycleState"] == "Warmed:Running"
    assert states(client)[pooled["InstanceId"]] == "Warmed:Running"


def test_a_group_without_a_pool_describes_an_empty_one(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """The answer has no settings and no instances."""
    group.fleet = replace(group.fleet, group=replace(group.fleet.group, warm_pool=None))
    group.memory = replace(group.memory, instances=())
    answer = client.describe_warm_pool(AutoScalingGroupName=NAME)
    assert answer["Instances"] == []
    assert "WarmPoolConfiguration" not in answer


def test_policies_of_every_kind_are_shown(client: AutoScalingClient) -> None:
    """Each has the fields of its kind; a tracked metric is that of its alarm."""
    policies = client.describe_policies(AutoScalingGroupName=NAME)["ScalingPolicies"]
    simple, step, tracking = sorted(policies, key=lambda policy: policy["PolicyType"])
    assert step["StepAdjustments"] == [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}]
    assert step["MetricAggregationType"] == "Average"
    assert (simple["AdjustmentType"], simple["ScalingAdjustment"]) == ("ChangeInCapacity", 1)
    assert simple["Cooldown"] == 60
    assert tracking["TargetTrackingConfiguration"] == {
        "TargetValue": 10.0,
        "DisableScaleIn": True,
        "CustomizedMetricSpecification": {
            "Metrics": [
                {
                    "Id": "m1",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "AWS/SQS",
                            "MetricName": "ApproximateNumberOfMessagesVisible",
                            "Dimensions": [{"Name": "QueueName", "Value": "tidemill-Jobs"}],
                        },
                        "Stat": "Average",
                        "Period": 60,
                    },
                    "ReturnData": True,
                }
            ]
        },
    }
    (alarm,) = tracking["Alarms"]
    assert alarm["AlarmName"].startswith(f"TargetTracking-{NAME}-AlarmHigh-")


def test_scheduled_actions_are_shown(client: AutoScalingClient) -> None:
    """They are found by name, and page by page."""
    found = client.describe_scheduled_actions(AutoScalingGroupName=NAME)
    nightly, once = found["ScheduledUpdateGroupActions"]
    assert (nightly["MinSize"], nightly["Recurrence"]) == (2, "0 20 * * *")
    assert nightly["TimeZone"] == "Europe/Berlin"
    assert "StartTime" not in nightly
    assert once["DesiredCapacity"] == 3
    assert once["StartTime"].isoformat() == "2030-01-31T08:00:00+00:00"
    named = client.describe_scheduled_actions(ScheduledActionNames=[once["ScheduledActionName"]])
    assert named["ScheduledUpdateGroupActions"] == [once]
    first = client.describe_scheduled_actions(MaxRecords=1)
    second = client.describe_scheduled_actions(NextToken=first["NextToken"])
    assert second["ScheduledUpdateGroupActions"] == [once]


# ---- what becomes of instances


def test_an_unhealthy_instance_is_shown_so_and_in_its_grace_period_left_alone(
    client: AutoScalingClient,
) -> None:
    """The request may ignore the grace period, and may mark the instance healthy again."""
    for respects, health in ((True, "HEALTHY"), (False, "UNHEALTHY")):
        client.set_instance_health(
            InstanceId=ONE, HealthStatus="Unhealthy", ShouldRespectGracePeriod=respects
        )
        (shown,) = client.describe_auto_scaling_instances(InstanceIds=[ONE])["AutoScalingInstances"]
        assert shown["HealthStatus"] == health
    client.set_instance_health(InstanceId=ONE, HealthStatus="Healthy")
    assert {item["HealthStatus"] for item in described(client)["Instances"]} == {"Healthy"}


def test_an_instance_rests_on_standby_and_returns(client: AutoScalingClient) -> None:
    """Both answers have an activity, in AWS's words."""
    (activity,) = client.enter_standby(
        AutoScalingGroupName=NAME, InstanceIds=[ONE], ShouldDecrementDesiredCapacity=True
    )["Activities"]
    assert activity["Description"] == f"Moving EC2 instance to Standby: {ONE}"
    assert activity["Cause"] == (
        f"At 2025-06-15T15:07:00Z instance {ONE} was moved to standby in response to a user "
        "request, shrinking the capacity from 2 to 1."
    )
    assert (activity["StatusCode"], activity["Progress"]) == ("InProgress", 50)
    assert activity["StartTime"].timestamp() == NOW
    assert (states(client)[ONE], described(client)["DesiredCapacity"]) == ("Standby", 1)
    (activity,) = client.exit_standby(AutoScalingGroupName=NAME, InstanceIds=[ONE])["Activities"]
    assert activity["Description"] == f"Moving EC2 instance out of Standby: {ONE}"
    assert activity["Cause"].endswith("increasing the capacity from 1 to 2.")
    assert (activity["StatusCode"], activity["Progress"]) == ("PreInService", 30)
    assert (states(client)[ONE], described(client)["DesiredCapacity"]) == ("InService", 2)
    history = client.describe_scaling_activities()["Activities"][:2]
    assert [one["Description"].rpartition(":")[0] for one in history] == [
        "Moving EC2 instance out of Standby",
        "Moving EC2 instance to Standby",
    ]
    assert {one["StatusCode"] for one in history} == {"Successful"}


def test_a_detached_instance_is_replaced_unless_fewer_are_wanted(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """It leaves the group; an id that is given twice counts once."""
    (activity,) = client.detach_instances(
        AutoScalingGroupName=NAME, InstanceIds=[ONE, ONE], ShouldDecrementDesiredCapacity=False
    )["Activities"]
    assert activity["Description"] == f"Detaching EC2 instance: {ONE}"
    assert activity["Cause"].endswith(f"{ONE} was detached in response to a user request.")
    assert ONE not in states(client)
    assert group.memory.desired == 2


def test_each_of_several_hooks_lets_go_by_its_name(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """The instance still waits for the other hook."""
    held = tuple(Hold(hook, NOW + 60) for hook in ("drain", "archive"))
    first, *rest = group.memory.instances
    waiting = replace(first, state=LifecycleState.TERMINATING_WAIT, holds=held)
    group.memory = replace(group.memory, instances=(waiting, *rest))
    asked = {"AutoScalingGroupName": NAME, "InstanceId": ONE, "LifecycleActionResult": "CONTINUE"}
    client.complete_lifecycle_action(LifecycleHookName="drain", **asked)
    assert states(client)[ONE] == "Terminating:Wait"
    with pytest.raises(ClientError, match="No active Lifecycle Action found"):
        client.complete_lifecycle_action(LifecycleHookName="drain", **asked)
    client.complete_lifecycle_action(LifecycleHookName="archive", **asked)
    assert states(client)[ONE] == "Terminating:Proceed"


def test_a_request_that_honours_the_cooldown_has_to_wait(client: AutoScalingClient) -> None:
    """A request that does not honour it is applied at once."""
    client.execute_policy(AutoScalingGroupName=NAME, PolicyName="tidemill-Simple")
    assert described(client)["DesiredCapacity"] == 3
    with pytest.raises(client.exceptions.ScalingActivityInProgressFault):
        client.set_desired_capacity(
            AutoScalingGroupName=NAME, DesiredCapacity=1, HonorCooldown=True
        )
    with pytest.raises(client.exceptions.ScalingActivityInProgressFault):
        client.execute_policy(PolicyName="tidemill-Simple", HonorCooldown=True)
    client.set_desired_capacity(AutoScalingGroupName=NAME, DesiredCapacity=1, HonorCooldown=False)
    assert described(client)["DesiredCapacity"] == 1


@pytest.mark.parametrize(
    ("call", "parameters", "expected"),
    [
        pytest.param(
            "set_instance_health",
            {"InstanceId": ONE, "HealthStatus": "Poorly"},
            "Valid instance health states are: [Healthy, Unhealthy].",
            id="health-unknown",
        ),
        pytest.param(
            "set_instance_health",
            {"InstanceId": "i-9", "HealthStatus": "Healthy"},
            "Instance Id not found - No managed instance found for instance ID: i-9",
            id="health-of-nobody",
        ),
        pytest.param(
            "enter_standby",
            {"AutoScalingGroupName": NAME, "ShouldDecrementDesiredCapacity": True},
            "InstanceIds has 0 instances: give 1 to 20",
            id="nobody-on-standby",
        ),
        pytest.param(
            "exit_standby",
            {"AutoScalingGroupName": NAME, "InstanceIds": [ONE]},
            f"The instance {ONE} is not in Standby.",
            id="not-on-standby",
        ),
        pytest.param(
            "detach_instances",
            {
                "AutoScalingGroupName": "other",
                "InstanceIds": [ONE],
                "ShouldDecrementDesiredCapacity": True,
            },
            "AutoScalingGroup name not found - AutoScalingGroup 'other' not found",
            id="detached-from-another",
        ),
        pytest.param(
            "describe_scheduled_actions",
            {"EndTime": "2030-01-31T08:00:00Z"},
            "The local Auto Scaling API does not support EndTime here",
            id="schedule-by-time",
        ),
        pytest.param(
            "execute_policy",
            {"PolicyName": "tidemill-Tracking"},
            "Policy tidemill-Tracking tracks a target: only its own alarms execute it",
            id="tracking-executed",
        ),
    ],
)
def test_a_request_that_cannot_be_fulfilled_is_a_validation_error(
    client: AutoScalingClient, call: str, parameters: dict[str, object], expected: str
) -> None:
    """The message says what is wrong, and the group is unchanged."""
    before = states(client)
    with pytest.raises(ClientError) as caught:
        getattr(client, call)(**parameters)
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("ValidationError", expected)
    assert states(client) == before
