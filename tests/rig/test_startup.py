"""A whole rig: its start, its ordinary clients, its end, and its errors."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.builders.fleets import product_template
from support.emulators.rigs import labelled
from support.fakes.groups import autoscaling_client

from tidemill.rig.autoscaling.fault_client import send_fault
from tidemill.rig.autoscaling.server import serving
from tidemill.rig.door.credentials import USER
from tidemill.rig.door.guard import Guard
from tidemill.rig.errors import RigError
from tidemill.rig.lifetime import RECLAIMED
from tidemill.rig.local_aws.clients import LocalClients
from tidemill.rig.rig import Rig, RigOptions
from tidemill.rig.startup import running_rig
from tidemill.scaling.errors import ParameterError
from tidemill.scaling.facts import (
    AlarmChanged,
    DesiredChanged,
    FaultBegan,
    FaultEnded,
    InstanceChanged,
    Noted,
)
from tidemill.scaling.fault_kinds import SPOT
from tidemill.scaling.faults import Fault
from tidemill.scaling.times.catalogue import USUAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mypy_boto3_autoscaling import AutoScalingClient

    from tidemill.rig.door.credentials import Keys
    from tidemill.scaling.facts import Fact

PATIENCE = 60.0
STUCK = (
    "Could not scale to desired capacity because all remaining instances are protected from "
    "scale-in."
)


def options(folder: Path, **parameters: str) -> RigOptions:
    """Return options of a fast rig with the product's template."""
    return RigOptions(
        folder, product_template(), parameters, speed=60.0, times=USUAL.with_boot(20.0)
    )


def the_api(rig: Rig) -> AbstractContextManager[str]:
    """Serve a rig's Auto Scaling API."""
    return serving(rig, Guard(rig.session))


def take_turns(rig: Rig, until: Callable[[], bool]) -> None:
    """Take turns until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < deadline, "the condition was not true in time"
        rig.turn()
        time.sleep(rig.pause)


def test_an_ordinary_client_sees_queue_metrics_and_alarm_states(tmp_path: Path) -> None:
    """One message launches one instance, and CloudWatch shows why."""
    facts: list[Fact] = []
    with running_rig(options(tmp_path), facts.append) as rig:
        clients = LocalClients(rig.endpoint, rig.session)
        clients.sqs.send_message(
            QueueUrl=rig.queue_url,
            MessageBody='{"vehicleId":"V","make":"m","model":"m","year":2020,"color":"c","mileage":1}',
        )
        take_turns(rig, lambda: rig.status().processed == 1)
        assert rig.status().desired == 1
        rings = [f.alarm for f in facts if isinstance(f, AlarmChanged) and f.after == "ALARM"]
        assert rings == ["BacklogAlarm"]
        metrics = clients.cloudwatch.list_metrics(Namespace="AWS/SQS")["Metrics"]
        assert "ApproximateNumberOfMessagesVisible" in {m["MetricName"] for m in metrics}
        states = {
            alarm["AlarmName"]: alarm["StateValue"]
            for alarm in clients.cloudwatch.describe_alarms()["MetricAlarms"]
        }
        assert states["tidemill-BacklogAlarm"] == rig.status().alarms["BacklogAlarm"]
        assert labelled(tmp_path)
    assert labelled(tmp_path) == []
    assert any("RETRY_DELAY_SECONDS" in f.text for f in facts if isinstance(f, Noted))


@pytest.fixture
def autoscaling() -> Iterator[Callable[[str, Keys], AutoScalingClient]]:
    """Provide a function that creates ordinary clients of Auto Scaling."""
    with ExitStack() as stack:
        yield lambda url, keys: stack.enter_context(autoscaling_client(url, keys))


def test_a_user_scales_a_rig_by_hand(
    tmp_path: Path, autoscaling: Callable[[str, Keys], AutoScalingClient]
) -> None:
    """boto3 is used as on AWS: a real consumer starts, is protected, and ends."""
    with (
        running_rig(options(tmp_path), lambda _: None) as rig,
        the_api(rig) as url,
    ):
        client = autoscaling(url, rig.session.keys(USER))
        name = rig.fleet.group.name

        def states() -> list[str]:
            shown = client.describe_auto_scaling_instances()["AutoScalingInstances"]
            return [item["LifecycleState"] for item in shown]

        client.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["AlarmNotification"])
        assert states() == []
        client.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=1)
        take_turns(rig, lambda: states() == ["InService"])
        take_turns(rig, rig.world.polled)
        (instance,) = client.describe_auto_scaling_groups()["AutoScalingGroups"][0]["Instances"]
        chosen = instance["InstanceId"]
        client.set_instance_protection(
            AutoScalingGroupName=name, InstanceIds=[chosen], ProtectedFromScaleIn=True
        )
        client.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=0)
        for _ in range(3):
            rig.turn()
        assert states() == ["InService"], "protected"
        client.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=1)
        answer = client.terminate_instance_in_auto_scaling_group(
            InstanceId=chosen, ShouldDecrementDesiredCapacity=True
        )
        assert chosen in answer["Activity"]["Description"]
        take_turns(rig, lambda: states() == [])
        activities = client.describe_scaling_activities(AutoScalingGroupName=name)["Activities"]
        assert [(item["Description"], item["StatusCode"]) for item in activities] == [
            (f"Terminating EC2 instance: {chosen}", "Successful"),
            (STUCK, "Cancelled"),
            (f"Launching a new EC2 instance: {chosen}", "Successful"),
        ]
        assert "user request" in activities[0]["Cause"]
    assert labelled(tmp_path) == []


def test_a_spot_instance_that_is_interrupted_is_replaced(
    tmp_path: Path, autoscaling: Callable[[str, Keys], AutoScalingClient]
) -> None:
    """Its consumer stops at the notice; another instance is launched when it is gone."""
    facts: list[Fact] = []
    with (
        running_rig(options(tmp_path), facts.append) as rig,
        the_api(rig) as url,
    ):
        with pytest.raises(RigError, match="no instance is in service: the fault needs one"):
            send_fault(url, rig.session.keys(USER), Fault(SPOT.name))
        client = autoscaling(url, rig.session.keys(USER))
        name = rig.fleet.group.name
        client.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["AlarmNotification"])
        client.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=1)
        take_turns(rig, rig.world.polled)
        with pytest.raises(RigError, match="the group has no instance i-9"):
            send_fault(url, rig.session.keys(USER), Fault(SPOT.name, "i-9"))
        taken = send_fault(url, rig.session.keys(USER), Fault(SPOT.name))
        take_turns(rig, lambda: not rig.world.polled())
        take_turns(rig, rig.world.polled)
        (instance,) = client.describe_auto_scaling_instances()["AutoScalingInstances"]
        assert instance["InstanceId"] != taken
    assert [fact.target for fact in facts if isinstance(fact, FaultBegan)] == [taken]
    ended = [f.detail for f in facts if isinstance(f, InstanceChanged) and f.instance == taken]
    assert RECLAIMED in ended
    assert labelled(tmp_path) == []


def test_a_fault_happens_at_its_time(tmp_path: Path) -> None:
    """If it has no target then, the timeline says so, and the rig goes on."""
    facts: list[Fact] = []
    with (
        running_rig(options(tmp_path), facts.append) as rig,
        the_api(rig) as url,
    ):
        later = rig.clock.now() + 30
        assert send_fault(url, rig.session.keys(USER), Fault(SPOT.name, "i-9", later)) == "i-9"
        assert send_fault(url, rig.session.keys(USER), Fault(SPOT.name, at=later)) == ""

        def refused() -> list[str]:
            noted = [fact.text for fact in facts if isinstance(fact, Noted)]
            return [text for text in noted if text.startswith("the fault spot did not happen: ")]

        rig.turn()
        assert refused() == []
        take_turns(rig, lambda: len(refused()) == 2)
        assert rig.clock.now() >= later
        assert refused()[0].endswith("the group has no instance i-9")
        assert refused()[1].endswith("no instance is in service: the fault needs one")


def test_metrics_that_are_missing_hide_a_message_from_the_alarms(tmp_path: Path) -> None:
    """The timeline has the begin and the end of the fault; the fleet wakes after its end."""
    facts: list[Fact] = []
    with (
        running_rig(options(tmp_path), facts.append) as rig,
        the_api(rig) as url,
    ):
        with pytest.raises(RigError, match="the fleet has no alarm Backlog: choose one of"):
            send_fault(url, rig.session.keys(USER), Fault("alarms-late", "Backlog"))
        missing = Fault("metrics-missing", parameters={"for_minutes": 3.0})
        assert send_fault(url, rig.session.keys(USER), missing) == "SQS's metrics"
        LocalClients(rig.endpoint, rig.session).sqs.send_message(
            QueueUrl=rig.queue_url, MessageBody="{}"
        )
        take_turns(rig, lambda: rig.memory.group.desired > 0)
    kinds = [FaultBegan, FaultEnded, DesiredChanged]
    began, ended, woken = (next(f for f in facts if isinstance(f, kind)) for kind in kinds)
    assert ended.at - began.at >= 180
    assert woken.at >= ended.at
    assert labelled(tmp_path) == []


def test_an_exception_in_a_rig_leaves_no_process(tmp_path: Path) -> None:
    """This includes Ctrl-C; the old signal handlers are restored."""
    before = signal.getsignal(signal.SIGINT)

    def interrupted() -> None:
        with running_rig(options(tmp_path), lambda _: None) as rig:
            rig.turn()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert labelled(tmp_path) == []
    assert signal.getsignal(signal.SIGINT) is before


def test_a_local_aws_that_ends_also_ends_the_rig_in_one_line(tmp_path: Path) -> None:
    """The error names the log, and no consumer is left."""

    def bereft() -> None:
        with running_rig(options(tmp_path), lambda _: None) as rig:
            rig.turn()
            (local_aws,) = labelled(tmp_path)
            local_aws.kill()
            rig.turn()

    with pytest.raises(RigError, match=r"a call to the local AWS failed.*ministack\.log") as caught:
        bereft()
    assert "\n" not in str(caught.value)
    assert labelled(tmp_path) == []


def test_a_queue_that_the_local_aws_cannot_have_is_an_error(tmp_path: Path) -> None:
    """A rig needs its work queue."""
    template = product_template()
    template["Resources"]["Odd"] = {"Type": "AWS::Nowhere::Thing"}
    template["Resources"]["WorkQueue"]["DependsOn"] = "Odd"
    lacking = RigOptions(tmp_path, template, {}, speed=60.0)
    with (
        pytest.raises(RigError, match=r"work queue is not deployed.*AWS::Nowhere::Thing"),
        running_rig(lacking, lambda _: None),
    ):
        pass
    assert labelled(tmp_path) == []


def test_wrong_input_shows_before_anything_starts(tmp_path: Path) -> None:
    """The folder is not created."""
    folder = tmp_path / "rig"
    with (
        pytest.raises(ParameterError, match="unknown parameter Nope"),
        running_rig(options(folder, Nope="1"), lambda _: None),
    ):
        pass
    assert not folder.exists()
