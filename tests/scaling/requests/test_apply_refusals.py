"""Requests that Auto Scaling refuses, each with its code and message."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.builders.requests import FLEET, GROUP, NOW

from tidemill.scaling.errors import RequestError
from tidemill.scaling.group.memory import PROCESSES, GroupMemory
from tidemill.scaling.requests import commands
from tidemill.scaling.requests.apply import apply

if TYPE_CHECKING:
    from tidemill.scaling.requests.commands import Command


def refusal(command: Command, memory: GroupMemory = GROUP) -> tuple[str, str]:
    """Return the code and the message with which a request is refused."""
    with pytest.raises(RequestError) as refused:
        apply(FLEET, memory, command, NOW)
    return refused.value.code, refused.value.message


@pytest.mark.parametrize(
    ("command", "message"),
    [
        pytest.param(
            commands.SetDesiredCapacity(0),
            "New SetDesiredCapacity value 0 is below min value 1 for the AutoScalingGroup.",
            id="desired-below-min",
        ),
        pytest.param(
            commands.SetDesiredCapacity(6),
            "New SetDesiredCapacity value 6 is above max value 5 for the AutoScalingGroup.",
            id="desired-above-max",
        ),
        pytest.param(
            commands.UpdateGroup(max_size=0),
            "Max bound, 0, must be greater than or equal to min bound, 1",
            id="max-below-min",
        ),
        pytest.param(
            commands.UpdateGroup(min_size=-1),
            "Min bound, -1, must not be negative",
            id="negative-min",
        ),
        pytest.param(
            commands.UpdateGroup(max_size=3, desired=4),
            "Desired capacity:4 must be between the specified min size:1 and max size:3",
            id="desired-out-of-new-bounds",
        ),
        pytest.param(
            commands.ExecutePolicy("in", 1, 0),
            "No scaling policy of the group is named in; there are: out",
            id="no-such-policy",
        ),
        pytest.param(
            commands.ExecutePolicy("out"),
            "MetricValue and BreachThreshold are required for a StepScaling policy",
            id="policy-without-a-value",
        ),
        pytest.param(
            commands.ExecutePolicy("out", 1, 2),
            "MetricValue 1 with BreachThreshold 2 corresponds to no step adjustment of policy out",
            id="value-in-no-step",
        ),
        pytest.param(
            commands.SetInstanceProtection(("i-1", "i-9"), protected=True),
            "The instance i-9 is not part of Auto Scaling group workers.",
            id="protecting-a-stranger",
        ),
        pytest.param(
            commands.SetInstanceProtection(("i-2",), protected=True),
            "The instance i-2 is not in InService or EnteringStandby or Standby.",
            id="protecting-too-early",
        ),
        pytest.param(
            commands.CompleteLifecycleAction("drain", "i-4", "DONE"),
            "The lifecycle action result is CONTINUE or ABANDON: DONE",
            id="hook-with-another-result",
        ),
        pytest.param(
            commands.CompleteLifecycleAction("drain", "i-9", "CONTINUE"),
            "No active Lifecycle Action found with instance ID i-9",
            id="hook-of-a-stranger",
        ),
        pytest.param(
            commands.CompleteLifecycleAction("drain", "i-3", "CONTINUE"),
            "No active Lifecycle Action found with instance ID i-3",
            id="the-other-hook",
        ),
        pytest.param(
            commands.RecordLifecycleActionHeartbeat("drain", "i-1"),
            "No active Lifecycle Action found with instance ID i-1",
            id="heartbeat-without-a-hook",
        ),
        pytest.param(
            commands.TerminateInstance("i-9", should_decrement=False),
            "Instance Id not found - No managed instance found for instance ID: i-9",
            id="terminating-a-stranger",
        ),
        pytest.param(
            commands.SuspendProcesses(("Launch", "Lunch")),
            f"Lunch is no scaling process; there are: {', '.join(PROCESSES)}",
            id="no-such-process",
        ),
    ],
)
def test_what_auto_scaling_would_refuse_is_refused(command: Command, message: str) -> None:
    """The message is Auto Scaling's where it is published."""
    assert refusal(command) == ("ValidationError", message)


def test_a_group_at_its_minimum_cannot_lose_an_instance_for_good() -> None:
    """The refusal names the two remedies."""
    code, message = refusal(
        commands.TerminateInstance("i-1", should_decrement=True), replace(GROUP, desired=1)
    )
    assert code == "ValidationError"
    assert message.startswith("Currently, desiredSize equals minSize (1). Terminating instance")


def test_an_instance_on_its_way_out_cannot_be_terminated_again() -> None:
    """The error names the activity that blocks the request."""
    code, message = refusal(commands.TerminateInstance("i-4", should_decrement=False))
    assert code == "ScalingActivityInProgress"
    assert message.endswith("is in progress and blocks this action")
