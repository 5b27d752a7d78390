"""Actions of the local Auto Scaling API, called by boto3."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from support.fakes.groups import NAME, NOW, ONE, TWO, autoscaling_client, group_of_two

from tidemill.rig.autoscaling.server import MOST_BYTES, answer, serving
from tidemill.rig.errors import RigError
from tidemill.scaling.group.memory import PROCESSES
from tidemill.scaling.group.transitions import vanished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_autoscaling import AutoScalingClient
    from support.fakes.groups import GroupInMemory


@pytest.fixture
def group() -> GroupInMemory:
    """Return a group of two instances in service."""
    return group_of_two()


@pytest.fixture
def url(group: GroupInMemory) -> Iterator[str]:
    """Serve the group."""
    with serving(group) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[AutoScalingClient]:
    """Return an ordinary client of the API."""
    with autoscaling_client(url) as client:
        yield client


def refused(call: Callable[[], object]) -> tuple[str, str]:
    """Return the code and the message of the error that a call raises."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


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


def test_policies_and_hooks_are_the_templates(
    client: AutoScalingClient, group: GroupInMemory
) -> None:
    """A policy is found by its name and by its ARN."""
    policies = client.describe_policies(AutoScalingGroupName=NAME)["ScalingPolicies"]
    assert [policy["PolicyName"] for policy in policies] == [
        policy.name for policy in group.fleet.policies
    ]
    assert policies[0]["StepAdjustments"][1] == {
        "MetricIntervalLowerBound": 0.0,
        "MetricIntervalUpperBound": 1.0,
        "ScalingAdjustment": 1,
    }
    assert [alarm["AlarmName"] for alarm in policies[0]["Alarms"]] == ["tidemill-BacklogAlarm"]
    for name in (policies[0]["PolicyName"], policies[0]["PolicyARN"]):
        assert client.describe_policies(PolicyNames=[name])["ScalingPolicies"] == policies
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


ABSENT = "AutoScalingGroup name not found - AutoScalingGroup 'other' not found"


@pytest.mark.parametrize(
    ("call", "parameters", "message"),
    [
        pytest.param(
            "describe_scaling_activities",
            {"AutoScalingGroupName": "other"},
            ABSENT,
            id="activities-of-another",
        ),
        pytest.param(
            "describe_lifecycle_hooks",
            {"AutoScalingGroupName": "other"},
            ABSENT,
            id="hooks-of-another",
        ),
        pytest.param(
            "update_auto_scaling_group",
            {"AutoScalingGroupName": "other"},
            "AutoScalingGroup name not found - null",
            id="update-of-another",
        ),
        pytest.param(
            "update_auto_scaling_group",
            {"AutoScalingGroupName": NAME, "DefaultCooldown": 3},
            "The local Auto Scaling API does not support DefaultCooldown here",
            id="update-of-more",
        ),
        pytest.param(
            "set_desired_capacity",
            {},
            "2 validation errors detected: Value null at 'autoScalingGroupName' failed to satisfy "
            "constraint: Member must not be null; Value null at 'desiredCapacity' failed to "
            "satisfy constraint: Member must not be null",
            id="nothing-given",
        ),
        pytest.param(
            "describe_lifecycle_hooks",
            {"AutoScalingGroupName": ""},
            "1 validation error detected: Value '' at 'autoScalingGroupName' failed to satisfy "
            "constraint: Member must have length greater than or equal to 1",
            id="empty-name",
        ),
        pytest.param(
            "describe_auto_scaling_instances",
            {"MaxRecords": 51},
            "1 validation error detected: Value '51' at 'maxRecords' failed to satisfy "
            "constraint: Member must have value less than or equal to 50",
            id="too-many-records",
        ),
        pytest.param(
            "describe_policies",
            {"MaxRecords": 0},
            "1 validation error detected: Value '0' at 'maxRecords' failed to satisfy "
            "constraint: Member must have value greater than or equal to 1",
            id="no-records",
        ),
        pytest.param(
            "complete_lifecycle_action",
            {
                "AutoScalingGroupName": NAME,
                "LifecycleHookName": "drain",
                "LifecycleActionToken": "0" * 36,
                "LifecycleActionResult": "CONTINUE",
            },
            f"No active Lifecycle Action found with token {'0' * 36}",
            id="hook-by-token",
        ),
        pytest.param(
            "terminate_instance_in_auto_scaling_group",
            {"ShouldDecrementDesiredCapacity": True},
            "1 validation error detected: Value null at 'instanceId' failed to satisfy "
            "constraint: Member must not be null",
            id="no-instance",
        ),
    ],
)
def test_a_request_that_cannot_be_fulfilled_is_a_validation_error(
    client: AutoScalingClient, call: str, parameters: dict[str, object], message: str
) -> None:
    """The message is AWS's where AWS publishes it."""
    assert refused(lambda: getattr(client, call)(**parameters)) == ("ValidationError", message)


@pytest.mark.parametrize("token", ["%", "bm9ib2R5", "//8="], ids=["no-base64", "nobody", "no-text"])
def test_a_token_of_somebody_elses_is_refused(client: AutoScalingClient, token: str) -> None:
    """Both a foreign token and an unreadable one are refused."""
    code, _ = refused(lambda: client.describe_scaling_activities(NextToken=token))
    assert code == "InvalidNextToken"


@pytest.mark.parametrize(
    "form",
    ["Action=DeletePolicy&PolicyName=x", "Action=Dance", "", "%00=%ff&&&=;"],
    ids=["not-here", "nowhere", "nothing", "nonsense"],
)
def test_another_action_is_refused(group: GroupInMemory, form: str) -> None:
    """This holds for unknown actions and for actions that are not supported here."""
    status, body = answer(group, form)
    assert (status, b"<Code>InvalidAction</Code>" in body) == (400, True)


def test_a_number_that_is_none_is_refused(group: GroupInMemory) -> None:
    """The answer names the action."""
    form = f"Action=SetDesiredCapacity&AutoScalingGroupName={NAME}&DesiredCapacity=many"
    status, body = answer(group, form)
    assert (status, b"A parameter of SetDesiredCapacity cannot be read" in body) == (400, True)


def test_a_failure_of_the_group_is_an_answer_and_the_server_stays_up(
    group: GroupInMemory, url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The client gets InternalFailure, and nothing is written to the terminal."""
    address = f"{url}/?Action=DescribeAutoScalingGroups"
    fleet, group.fleet = group.fleet, None  # type: ignore[assignment]  # what must never happen
    with pytest.raises(urllib.error.HTTPError) as failed:
        urllib.request.urlopen(address)  # noqa: S310 - our own server
    with failed.value as response:
        assert (response.code, b"<Code>InternalFailure</Code>" in response.read()) == (500, True)
    group.fleet = fleet
    with urllib.request.urlopen(address) as response:  # noqa: S310 - our own server
        assert response.status == 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("length", [str(MOST_BYTES + 1), "-1", "many"])
def test_a_body_that_is_too_large_is_not_read(url: str, length: str) -> None:
    """A body without a usable Content-Length is not read either."""
    request = urllib.request.Request(url, data=b"", headers={"Content-Length": length})  # noqa: S310 - our own server
    with pytest.raises(urllib.error.HTTPError) as failed:
        urllib.request.urlopen(request)  # noqa: S310 - our own server
    with failed.value as response:
        assert b"A request has at most 1048576 bytes" in response.read()


def test_the_port_is_given_back_even_after_a_failure(group: GroupInMemory) -> None:
    """While the server runs, the port cannot be taken."""
    with pytest.raises(KeyError), serving(group) as url:
        raise KeyError(url)
    port = int(url.rpartition(":")[2])
    with serving(group, port=port) as again:
        assert again == url
        with pytest.raises(RigError, match="choose another port"), serving(group, port=port):
            pytest.fail("the port is taken")
