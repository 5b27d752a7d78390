"""The local Auto Scaling API, called by the `aws` command line."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.builders.sessions import GUARD, KEYS
from support.emulators.ministack import CREDENTIALS, without_aws
from support.emulators.sam import ROOT, require
from support.fakes.groups import NAME, ONE, TWO, group_of_two

from tidemill.rig.autoscaling.server import serving
from tidemill.scaling.group.memory import PROCESSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.fakes.groups import GroupInMemory

AWS: Final = ROOT / ".venv-aws/bin/aws"


class CommandLine:
    """`aws autoscaling` for one endpoint, without the user's own settings."""

    def __init__(self, url: str, home: Path) -> None:
        """Use the API at this URL."""
        self._url = url
        self._home = home

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        return subprocess.run(
            [AWS, "autoscaling", *arguments, "--endpoint-url", self._url, "--output", "json"],
            env={
                **without_aws(os.environ),
                **CREDENTIALS,
                **KEYS.environment(),
                "AWS_MAX_ATTEMPTS": "1",
                "AWS_PAGER": "",
                "HOME": str(self._home),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def answer(self, *arguments: str) -> Any:  # noqa: ANN401 - whatever the command prints
        """Return the output of a command, None if there is none."""
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return json.loads(done.stdout) if done.stdout else None

    def refused(self, *arguments: str) -> str:
        """Return the error message of a command that fails."""
        done = self.run(*arguments)
        assert (done.returncode != 0, done.stdout) == (True, "")
        return done.stderr.strip()


@pytest.fixture
def group() -> GroupInMemory:
    """Return a group of two instances in service."""
    return group_of_two()


@pytest.fixture
def aws(group: GroupInMemory, tmp_path: Path) -> Iterator[CommandLine]:
    """Provide the command line for the group's API."""
    require(AWS, "make test")
    with serving(group, GUARD) as url:
        yield CommandLine(url, tmp_path)


def test_groups_and_their_instances_are_described(aws: CommandLine) -> None:
    """They are found by name, and by queries of the command."""
    (group,) = aws.answer("describe-auto-scaling-groups", "--auto-scaling-group-names", NAME)[
        "AutoScalingGroups"
    ]
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"]) == (0, 4, 2)
    ids = aws.answer(
        "describe-auto-scaling-groups", "--query", "AutoScalingGroups[].Instances[].InstanceId"
    )
    assert ids == [ONE, TWO]
    shown = aws.answer("describe-auto-scaling-instances", "--instance-ids", TWO)
    assert [item["InstanceId"] for item in shown["AutoScalingInstances"]] == [TWO]
    none = aws.answer("describe-auto-scaling-groups", "--auto-scaling-group-names", "other")
    assert none == {"AutoScalingGroups": []}


def test_activities_are_described_page_by_page(aws: CommandLine) -> None:
    """The newest comes first; all are shown, or as many as --max-items says."""
    named = ("describe-scaling-activities", "--auto-scaling-group-name", NAME)
    activities = aws.answer(*named, "--page-size", "1")["Activities"]
    assert [item["Description"] for item in activities] == [
        f"Launching a new EC2 instance: {TWO}",
        f"Launching a new EC2 instance: {ONE}",
    ]
    assert {item["StatusCode"] for item in activities} == {"Successful"}
    first = aws.answer(*named, "--max-items", "1")
    assert first["Activities"] == activities[:1]
    rest = aws.answer(*named, "--starting-token", first["NextToken"])
    assert rest["Activities"] == activities[1:]


def test_policies_and_hooks_are_described(aws: CommandLine, group: GroupInMemory) -> None:
    """Policies have their alarms, hooks their times."""
    policies = aws.answer("describe-policies", "--auto-scaling-group-name", NAME)["ScalingPolicies"]
    assert [item["PolicyName"] for item in policies] == [
        policy.name for policy in group.fleet.policies
    ]
    assert policies[0]["Alarms"][0]["AlarmName"] == "tidemill-BacklogAlarm"
    (hook,) = aws.answer("describe-lifecycle-hooks", "--auto-scaling-group-name", NAME)[
        "LifecycleHooks"
    ]
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"


def test_the_desired_capacity_is_set(aws: CommandLine, group: GroupInMemory) -> None:
    """The command prints nothing."""
    named = ("--auto-scaling-group-name", NAME)
    assert aws.answer("set-desired-capacity", *named, "--desired-capacity", "3") is None
    assert group.memory.desired == 3


def test_the_limits_are_changed(aws: CommandLine, group: GroupInMemory) -> None:
    """The group then has these limits."""
    named = ("--auto-scaling-group-name", NAME)
    sizes = ("--min-size", "1", "--max-size", "9")
    assert aws.answer("update-auto-scaling-group", *named, *sizes) is None
    assert (group.fleet.group.min_size, group.fleet.group.max_size) == (1, 9)


def test_a_policy_is_executed(aws: CommandLine, group: GroupInMemory) -> None:
    """Numbers may be written in any usual way."""
    named = ("--auto-scaling-group-name", NAME, "--policy-name", "tidemill-BacklogPolicy")
    assert (
        aws.answer("execute-policy", *named, "--metric-value", "4", "--breach-threshold", "1")
        is None
    )
    assert group.memory.desired == 4


def test_processes_are_suspended_and_resumed(aws: CommandLine, group: GroupInMemory) -> None:
    """This works for some processes by name, and for all of them."""
    named = ("--auto-scaling-group-name", NAME)
    processes = ("--scaling-processes", "Launch", "AlarmNotification")
    assert aws.answer("suspend-processes", *named, *processes) is None
    shown = aws.answer(
        "describe-auto-scaling-groups",
        "--query",
        "AutoScalingGroups[0].SuspendedProcesses[].ProcessName",
    )
    assert shown == ["AlarmNotification", "Launch"]
    assert aws.answer("resume-processes", *named, "--scaling-processes", "Launch") is None
    assert set(group.memory.suspended) == {"AlarmNotification"}
    assert aws.answer("suspend-processes", *named) is None
    assert set(group.memory.suspended) == set(PROCESSES)
    assert aws.answer("resume-processes", *named) is None
    assert not group.memory.suspended


def test_an_instance_is_protected_and_one_is_terminated(
    aws: CommandLine, group: GroupInMemory
) -> None:
    """The activity is printed; the hook is extended and completed by commands."""
    named = ("--auto-scaling-group-name", NAME)
    aws.answer(
        "set-instance-protection", *named, "--instance-ids", TWO, "--protected-from-scale-in"
    )
    protected = group.memory.find(TWO)
    assert protected is not None
    assert protected.protected
    activity = aws.answer(
        "terminate-instance-in-auto-scaling-group",
        "--instance-id",
        ONE,
        "--should-decrement-desired-capacity",
    )["Activity"]
    assert activity["Description"] == f"Terminating EC2 instance: {ONE}"
    assert activity["StatusCode"] == "MidTerminatingLifecycleAction"
    assert group.memory.desired == 1
    hook = (*named, "--lifecycle-hook-name", "drain", "--instance-id", ONE)
    assert aws.answer("record-lifecycle-action-heartbeat", *hook) is None
    assert (
        aws.answer("complete-lifecycle-action", *hook, "--lifecycle-action-result", "CONTINUE")
        is None
    )
    held = aws.refused("record-lifecycle-action-heartbeat", *hook)
    assert "No active Lifecycle Action found" in held


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            ("set-desired-capacity", "--auto-scaling-group-name", NAME, "--desired-capacity", "9"),
            "An error occurred (ValidationError) when calling the SetDesiredCapacity operation: "
            "New SetDesiredCapacity value 9 is above max value 4 for the AutoScalingGroup.",
            id="above-max",
        ),
        pytest.param(
            ("describe-policies", "--auto-scaling-group-name", "other"),
            "An error occurred (ValidationError) when calling the DescribePolicies operation: "
            "AutoScalingGroup name not found - AutoScalingGroup 'other' not found",
            id="another-group",
        ),
        pytest.param(
            (
                "terminate-instance-in-auto-scaling-group",
                "--instance-id",
                "i-9",
                "--no-should-decrement-desired-capacity",
            ),
            "An error occurred (ValidationError) when calling the "
            "TerminateInstanceInAutoScalingGroup operation: Instance Id not found - No managed "
            "instance found for instance ID: i-9",
            id="another-instance",
        ),
        pytest.param(
            (
                *("enable-metrics-collection", "--auto-scaling-group-name", NAME),
                *("--granularity", "1Minute"),
            ),
            "An error occurred (InvalidAction) when calling the EnableMetricsCollection operation:",
            id="not-here",
        ),
    ],
)
def test_errors_are_printed_as_awss_are(
    aws: CommandLine, arguments: tuple[str, ...], expected: str
) -> None:
    """The text has the code, the operation and the reason."""
    assert aws.refused(*arguments).removeprefix("aws: [ERROR]: ").startswith(expected)
