"""Requests that the local Auto Scaling API refuses, and failures behind it."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from support.builders.sessions import KEYS
from support.fakes.groups import NAME

from tidemill.rig.autoscaling.server import MOST_BYTES, answer
from tidemill.rig.door.requests import DIRECT, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_autoscaling import AutoScalingClient
    from support.fakes.groups import GroupInMemory


def refused(call: Callable[[], object]) -> tuple[str, str]:
    """Return the code and the message of the error that a call raises."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


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
        DIRECT.open(signed(KEYS, address))
    with failed.value as response:
        assert (response.code, b"<Code>InternalFailure</Code>" in response.read()) == (500, True)
    group.fleet = fleet
    with DIRECT.open(signed(KEYS, address)) as response:
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
