"""Actions of the local Auto Scaling API, called by boto3."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from support.builders.sessions import GUARD
from support.fakes.groups import NAME, NOW, ONE, TWO

from tidemill.rig.autoscaling.server import serving
from tidemill.rig.errors import RigError
from tidemill.scaling.group.memory import PROCESSES
from tidemill.scaling.group.transitions import vanished

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from support.fakes.groups import GroupInMemory


def test_the_group_is_described_with_its_instances(client: AutoScalingClient) -> None:
    """Unknown names are ignored."""
    (group,) = client.describe_auto_scaling_groups(AutoScalingGroupNames=[NAME, "other"])[
        "AutoScalingGroups"
    ]
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == (0, 4, 2)
    assert group["CreatedTime"].timestamp() == NOW
    assert group["Instances"] == [
        {
            "InstanceId": instance,
            "AvailabilityZone": "us-east-1a",
            "LifecycleState": "InService",
            "HealthStatus": "Healthy",
            "ProtectedFromScaleIn": False,
        }
        for instance in (ONE, TWO)
    ]
    nobody = client.describe_auto_scaling_groups(AutoScalingGroupNames=["other"])
    assert nobody["AutoScalingGroups"] == []
    bare = client.describe_auto_scaling_groups(IncludeInstances=False)["AutoScalingGroups"][0]
    assert "Instances" not in bare


def test_a_retained_instance_is_shown_until_it_is_terminated(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """The first termination is cancelled; the second one has its own activity."""
    group.fleet = replace(group.fleet, group=replace(group.fleet.group, retains=True))
    described = client.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    assert described["InstanceLifecyclePolicy"] == {
        "RetentionTriggers": {"TerminateHookAbandon": "retain"}
    }
    first = client.terminate_instance_in_auto_scaling_group(
        InstanceId=ONE, ShouldDecrementDesiredCapacity=False
    )["Activity"]
    client.complete_lifecycle_action(
        AutoScalingGroupName=NAME,
        LifecycleHookName="drain",
        InstanceId=ONE,
        LifecycleActionResult="ABANDON",
    )
    (instance,) = client.describe_auto_scaling_instances(InstanceIds=[ONE])["AutoScalingInstances"]
    assert instance["LifecycleState"] == "Terminating:Retained"
    cancelled = client.describe_scaling_activities(ActivityIds=[first["ActivityId"]])["Activities"]
    assert cancelled[0]["StatusCode"] == "Cancelled"
    assert "was abandoned" in cancelled[0]["StatusMessage"]
    second = client.terminate_instance_in_auto_scaling_group(
        InstanceId=ONE, ShouldDecrementDesiredCapacity=False
    )["Activity"]
    assert second["ActivityId"] != first["ActivityId"]
    assert second["StatusCode"] == "InProgress"


def test_policies_and_hooks_are_the_templates(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """A policy is found by its name and by its ARN."""
    policies = client.describe_policies(AutoScalingGroupName=NAME)["ScalingPolicies"]
    assert [policy["PolicyName"] for policy in policies] == [
        policy.name for policy in group.fleet.policies
    ]
    assert policies[0]["StepAdjustments"][0] == {
        "MetricIntervalLowerBound": 0.0,
        "MetricIntervalUpperBound": 1.0,
        "ScalingAdjustment": 1,
    }
    assert [alarm["AlarmName"] for alarm in policies[0]["Alarms"]] == ["tidemill-BacklogAlarm"]
    for name in (policies[0]["PolicyName"], policies[0]["PolicyARN"]):
        assert client.describe_policies(PolicyNames=[name])["ScalingPolicies"] == policies[:1]
    assert client.describe_policies(PolicyNames=["other"])["ScalingPolicies"] == []
    assert client.describe_policies(PolicyTypes=["SimpleScaling"])["ScalingPolicies"] == []
    (hook,) = client.describe_lifecycle_hooks(AutoScalingGroupName=NAME)["LifecycleHooks"]
    assert hook["GlobalTimeout"] == 100 * hook["HeartbeatTimeout"]


def test_activities_come_newest_first_in_pages(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """The second page continues after the first, even if new activities came in between."""
    first = client.describe_scaling_activities(AutoScalingGroupName=NAME, MaxRecords=1)
    client.set_desired_capacity(AutoScalingGroupName=NAME, DesiredCapacity=3)
    group.turn()
    second = client.describe_scaling_activities(NextToken=first["NextToken"], MaxRecords=1)
    shown = [activity["Description"][-1] for activity in first["Activities"] + second["Activities"]]
    assert shown == ["2", "1"]
    assert "NextToken" not in second
    newest = client.describe_scaling_activities()["Activities"][0]
    assert newest["Cause"].startswith(
        "At 2025-06-15T15:07:00Z a user request explicitly set group desired capacity changing "
        "the desired capacity from 2 to 3.  At 2025-06-15T15:07:00Z an instance was started"
    )
    assert newest["EndTime"].timestamp() == NOW
    chosen = client.describe_scaling_activities(ActivityIds=[newest["ActivityId"]])["Activities"]
    assert chosen == [newest]


def test_activities_in_progress_come_before_newer_ones_that_are_over(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """Each of the two parts is ordered by start time, the newest first."""
    client.terminate_instance_in_auto_scaling_group(
        InstanceId=ONE, ShouldDecrementDesiredCapacity=False
    )
    group.turn()
    shown = client.describe_scaling_activities()["Activities"]
    assert [activity["StatusCode"] for activity in shown] == [
        "MidTerminatingLifecycleAction",
        *["Successful"] * 3,
    ]
    assert [activity["Description"][-1] for activity in shown] == ["1", "3", "2", "1"]


def test_several_instances_are_terminated_together(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """The capacity shrinks from activity to activity, and hooks hold each instance."""
    activities = client.terminate_instance_in_auto_scaling_group(
        AutoScalingGroupName=NAME, InstanceIds=[TWO, ONE], ShouldDecrementDesiredCapacity=True
    )["Activities"]
    assert [activity["Cause"] for activity in activities] == [
        f"At 2025-06-15T15:07:00Z instance {instance} was taken out of service in response to a "
        f"user request, shrinking the capacity from {before} to {before - 1}."
        for instance, before in ((TWO, 2), (ONE, 1))
    ]
    assert [item.state for item in group.memory.instances] == ["Terminating:Wait"] * 2
    assert group.memory.desired == 0


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"InstanceIds": [ONE]}, "InstanceIds with AutoScalingGroupName"),
        (
            {"AutoScalingGroupName": NAME, "InstanceIds": [ONE], "InstanceId": ONE},
            "either InstanceId, or InstanceIds",
        ),
        ({"AutoScalingGroupName": NAME, "InstanceIds": []}, "give 1 to 100"),
        ({"AutoScalingGroupName": NAME, "InstanceIds": [ONE, "i-9"]}, "i-9 is not part of"),
    ],
    ids=["no-group", "both", "none", "a-stranger"],
)
def test_a_termination_of_several_is_refused_as_a_whole(
    client: AutoScalingClient, group: GroupInMemory, request_: dict[str, Any], text: str
) -> None:
    """No instance is terminated."""
    before = group.memory
    with pytest.raises(ClientError, match=text):
        client.terminate_instance_in_auto_scaling_group(
            **request_, ShouldDecrementDesiredCapacity=True
        )
    assert group.memory == before


def test_a_paginator_of_boto3_sees_every_instance_once(client: AutoScalingClient) -> None:
    """The pages have one instance each."""
    pages = client.get_paginator("describe_auto_scaling_instances").paginate(
        PaginationConfig={"PageSize": 1}
    )
    assert [[item["InstanceId"] for item in page["AutoScalingInstances"]] for page in pages] == [
        [ONE],
        [TWO],
    ]


def test_the_limits_are_changed(client: AutoScalingClient, group: GroupInMemory) -> None:
    """The desired capacity is kept within the new limits."""
    client.update_auto_scaling_group(AutoScalingGroupName=NAME, MinSize=3, MaxSize=6)
    assert (group.fleet.group.min_size, group.fleet.group.max_size) == (3, 6)
    assert group.memory.desired == 3


def test_a_policy_is_executed(client: AutoScalingClient, group: GroupInMemory) -> None:
    """The result is that of an alarm with the same value."""
    client.execute_policy(
        AutoScalingGroupName=NAME,
        PolicyName="tidemill-BacklogPolicy",
        MetricValue=4.0,
        BreachThreshold=1.0,
    )
    assert group.memory.desired == 4


def test_a_protected_instance_is_shown_and_passed_over(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """The other instance is chosen, and waits for its hook."""
    client.set_instance_protection(
        AutoScalingGroupName=NAME, InstanceIds=[ONE], ProtectedFromScaleIn=True
    )
    client.set_desired_capacity(AutoScalingGroupName=NAME, DesiredCapacity=1)
    group.turn()
    shown = client.describe_auto_scaling_instances()["AutoScalingInstances"]
    assert [(item["ProtectedFromScaleIn"], item["LifecycleState"]) for item in shown] == [
        (True, "InService"),
        (False, "Terminating:Wait"),
    ]


def test_an_instance_is_terminated_and_its_hook_completed(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """The answer has the activity, which ends later."""
    activity = client.terminate_instance_in_auto_scaling_group(
        InstanceId=ONE, ShouldDecrementDesiredCapacity=True
    )["Activity"]
    status: str = activity["StatusCode"]  # a status that AWS has, but not its model
    assert status == "MidTerminatingLifecycleAction"
    hook = {"AutoScalingGroupName": NAME, "LifecycleHookName": "drain", "InstanceId": ONE}
    client.record_lifecycle_action_heartbeat(**hook)
    client.complete_lifecycle_action(**hook, LifecycleActionResult="CONTINUE")
    group.take(vanished(group.memory, ONE, "", NOW))
    after = client.describe_scaling_activities(ActivityIds=[activity["ActivityId"]])["Activities"]
    assert [item["StatusCode"] for item in after] == ["Successful"]


def test_processes_are_suspended_and_resumed(client: AutoScalingClient) -> None:
    """All processes are suspended, then one is resumed."""
    client.suspend_processes(AutoScalingGroupName=NAME)
    client.resume_processes(AutoScalingGroupName=NAME, ScalingProcesses=["Launch"])
    (group,) = client.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert {item["ProcessName"] for item in group["SuspendedProcesses"]} == {*PROCESSES} - {
        "Launch"
    }
    assert {item["SuspensionReason"] for item in group["SuspendedProcesses"]} == {
        "User suspended at 2025-06-15T15:07:00Z"
    }


def test_an_instance_that_is_lost_is_shown_as_unhealthy_while_it_is_not_replaced(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """If HealthCheck is suspended too, the loss is not noticed."""
    client.suspend_processes(AutoScalingGroupName=NAME, ScalingProcesses=["ReplaceUnhealthy"])
    group.take(vanished(group.memory, ONE, "killed", NOW))
    for health in ("UNHEALTHY", "HEALTHY"):
        shown = client.describe_auto_scaling_instances(InstanceIds=[ONE])["AutoScalingInstances"]
        assert [item["HealthStatus"] for item in shown] == [health]
        client.suspend_processes(AutoScalingGroupName=NAME, ScalingProcesses=["HealthCheck"])


def test_the_port_is_given_back_even_after_a_failure(group: GroupInMemory) -> None:
    """While the server runs, the port cannot be taken."""
    with pytest.raises(KeyError), serving(group, GUARD) as url:
        raise KeyError(url)
    port = int(url.rpartition(":")[2])
    with serving(group, GUARD, port=port) as again:
        assert again == url
        with pytest.raises(RigError, match="choose another port"), serving(group, GUARD, port=port):
            pytest.fail("the port is taken")
