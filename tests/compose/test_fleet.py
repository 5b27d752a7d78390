"""The compose project at work: containers follow the queue, and nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.compose import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from support.emulators.compose import Project

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(420)]

NOBODY: Final = frozenset[str]()


def check_account(
    project: Project, sent: dict[str, bool], logged: Iterable[dict[str, Any]]
) -> None:
    """Check that every message was processed and logged with its content, or is a dead letter."""
    poison = {message_id for message_id, bad in sent.items() if bad}
    lines = [line for line in logged if line["message_id"] in sent]
    processed = {line["message_id"] for line in lines if line["outcome"] == "processed"}
    assert processed == sent.keys() - poison
    assert project.dead_letters() == poison
    assert project.left("work") == 0
    for line in lines:
        if line["outcome"] == "processed":
            assert line["body"]["vehicleId"]


def test_containers_scale_out_to_four_and_in_to_none(project: Project, tmp_path: Path) -> None:
    """500 messages and 5 poison ones: none is lost, and CloudWatch Logs has every content."""
    project.compose("up", "--wait")
    assert project.running() == NOBODY
    sent = project.produce(tmp_path, "--count", "500", "--poison", "5")
    rise = project.watch(lambda running: len(running) == 4)
    fall = project.watch(lambda running: not running)
    assert len(sent) == 505
    assert max(rise + fall) == 4
    check_account(project, sent, project.logged())
    project.watch(lambda _: all(item["StatusCode"] == "Successful" for item in activities(project)))
    launches = [item for item in activities(project) if item["Description"].startswith("Launching")]
    assert len(launches) == 4


def activities(project: Project) -> list[dict[str, Any]]:
    """Return the scaling activities that the Auto Scaling API reports."""
    autoscaling = project.client("autoscaling", project.autoscaling_port)
    answer = autoscaling.describe_scaling_activities(AutoScalingGroupName=GROUP)
    found: list[dict[str, Any]] = answer["Activities"]
    return found


def test_killed_consumers_are_replaced_and_a_killed_controller_continues(
    project: Project, tmp_path: Path
) -> None:
    """The new controller adopts the instances; messages return to the queue, and none is lost."""
    project.compose("up", "--wait")
    sent = project.produce(tmp_path, "--count", "300")
    project.watch(lambda running: len(running) == 4)
    first = project.running()
    victim = min(first)
    project.engine.containers.get(f"{project.name}-{victim}").kill()
    project.watch(lambda running: len(running) == 4 and victim not in running)
    before = project.running()
    # A consumer that is about to start needs its credentials from the controller.
    project.watch(lambda running: all(project.works(instance) for instance in running))
    project.compose("kill", "fleet")
    assert project.running() == before
    project.compose("start", "fleet")
    autoscaling = project.client("autoscaling", project.autoscaling_port)
    project.watch(lambda _: project.healthy("fleet"))
    known = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"]
    assert {item["InstanceId"] for item in known} == before
    project.watch(lambda running: not running)
    # Standard output also has the lines that a killed consumer had not sent to CloudWatch Logs.
    check_account(project, sent, project.printed())


def test_the_fast_signal_a_spot_interruption_and_a_killed_controller(
    project: Project, tmp_path: Path
) -> None:
    """One message launches an instance, Spot interrupts it, and `down` removes what is left."""
    project.settings = {
        "PARAMETERS": "FastSignal=true,HoldSeconds=900"
    }  # so that the instance runs until Spot interrupts it
    project.compose("up", "--wait")
    project.produce(tmp_path, "--count", "1")
    project.watch(lambda running: len(running) == 1)
    (first,) = project.running()
    done = project.tidemill(
        *("chaos", "spot", "--endpoint-url", f"http://127.0.0.1:{project.autoscaling_port}"),
        keys=project.keys(),
    )
    assert done.stdout == f"{first} got the notice that it ends\n"
    project.watch(lambda running: len(running) == 1 and first not in running)
    assert f"{first} is terminated (EC2 took the Spot instance back)" in project.compose(
        "logs", "fleet"
    )
    project.compose("kill", "fleet")  # the fixture looks for what is left


def test_instances_that_run_the_templates_own_user_data(project: Project, tmp_path: Path) -> None:
    """They boot, start consumers beside them, notice their end, drain and complete the hook."""
    project.settings = {"PARAMETERS": "BacklogPerInstance=50", "DEPTH": "user-data", "SPEED": "8"}
    project.compose("--profile", "user-data", "up", "--wait")
    sent = project.produce(tmp_path, "--count", "99", "--poison", "1")
    project.watch(lambda running: len(running) == 2)
    project.watch(lambda _: len(project.running("consumer")) == 2)
    fall = project.watch(lambda running: not running)
    assert max(fall) == 2
    check_account(project, sent, project.logged())
    output = project.compose("logs", "fleet")
    assert output.count("has drained") == 2
    assert "timed out" not in output


def test_a_deleted_stack_lets_its_instances_drain(project: Project, tmp_path: Path) -> None:
    """Each message is processed or back in the queue before the queue is deleted.

    Each instance notices its end itself, stops its consumer and completes the hook.
    """
    project.settings = {
        "PARAMETERS": "BacklogPerInstance=100,MessagesPerPoll=20,PollWaitSeconds=30",
        "DEPTH": "user-data",
        "SPEED": "6",
    }
    project.compose("--profile", "user-data", "up", "--wait")
    sent = project.produce(tmp_path, "--count", "300")
    project.watch(lambda _: len(project.running("consumer")) >= 2)
    project.watch(lambda _: all(map(project.works, project.consumers())))
    ends = project.running()
    cloudformation = project.client("cloudformation")
    cloudformation.delete_stack(StackName="tidemill")
    counts = project.counts_until_deleted("work")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="tidemill", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )

    output = project.compose("logs", "fleet")
    for instance in ends:
        assert f"{instance} has drained" in output
    assert "timed out" not in output
    assert project.running() == project.running("consumer") == NOBODY
    processed = {line["message_id"] for line in project.printed() if line["outcome"] == "processed"}
    assert NOBODY < processed < sent.keys()
    assert counts == {"waiting": len(sent.keys() - processed), "in flight": 0}
    assert project.compose("ps", "--all", "--format", "{{.ExitCode}}", "fleet").strip() == "0"
