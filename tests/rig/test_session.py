"""A whole rig: started, looked at by ordinary clients, ended, killed, and found again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from support.fleets import PRODUCT_TEMPLATE, product_template
from support.rigs import labelled

from tidemill.rig import daemon
from tidemill.rig.clients import LocalClients
from tidemill.rig.errors import RigError
from tidemill.rig.lock import holder, locked
from tidemill.rig.ministack import local_aws
from tidemill.rig.session import Rig, RigOptions, running_rig
from tidemill.scaling.timeline import AlarmChanged, Noted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tidemill.scaling.timeline import Fact

PATIENCE = 60.0


def options(folder: Path, **parameters: str) -> RigOptions:
    """Return options of a fast rig with the product's template."""
    return RigOptions(folder, product_template(), parameters, speed=60.0, boot_seconds=20)


def take_turns(rig: Rig, until: Callable[[], bool]) -> None:
    """Let the rig go on until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < deadline, "it did not come to that"
        rig.turn()
        time.sleep(rig.pause)


def await_true(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def test_an_ordinary_client_sees_queue_metrics_and_alarm_states(tmp_path: Path) -> None:
    """One message sent by anybody wakes one instance, and CloudWatch knows why."""
    facts: list[Fact] = []
    with running_rig(options(tmp_path), facts.append) as rig:
        clients = LocalClients(rig.endpoint)
        clients.sqs.send_message(
            QueueUrl=rig.queue_url,
            MessageBody='{"vehicleId":"V","make":"m","model":"m","year":2020,"color":"c","mileage":1}',
        )
        take_turns(rig, lambda: rig.status().processed == 1)
        assert rig.status().desired == 1
        rings = [f.alarm for f in facts if isinstance(f, AlarmChanged) and f.after == "ALARM"]
        assert rings == ["BacklogHighAlarm"]
        metrics = clients.cloudwatch.list_metrics(Namespace="AWS/SQS")["Metrics"]
        assert "ApproximateNumberOfMessagesVisible" in {m["MetricName"] for m in metrics}
        states = {
            alarm["AlarmName"]: alarm["StateValue"]
            for alarm in clients.cloudwatch.describe_alarms()["MetricAlarms"]
        }
        assert states["tidemill-FleetIdleAlarm"] == rig.status().alarms["FleetIdleAlarm"]
        assert labelled(tmp_path)
    assert labelled(tmp_path) == []
    assert any("RETRY_DELAY_SECONDS" in f.text for f in facts if isinstance(f, Noted))


def test_an_exception_in_a_rig_leaves_no_process(tmp_path: Path) -> None:
    """Ctrl-C included; signals have their old handlers back."""
    before = signal.getsignal(signal.SIGINT)

    def interrupted() -> None:
        with running_rig(options(tmp_path), lambda _: None) as rig:
            rig.turn()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert labelled(tmp_path) == []
    assert signal.getsignal(signal.SIGINT) is before


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """With what to do."""
    with local_aws(tmp_path, 0, "us-east-1") as url:
        port = int(url.rsplit(":", 1)[1])
        with (
            pytest.raises(RigError, match=f"port {port} .* is not to be had"),
            local_aws(tmp_path, port, "us-east-1"),
        ):
            pass
    assert labelled(tmp_path) == []


def test_one_folder_has_one_rig(tmp_path: Path) -> None:
    """The second is told who has it; a killed holder has it no more."""
    with locked(tmp_path):
        program = (
            "import sys\nfrom pathlib import Path\nfrom tidemill.rig.lock import locked\n"
            "with locked(Path(sys.argv[1])):\n    pass\n"
        )
        second = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert f"another rig runs in {tmp_path} (process {os.getpid()})" in second.stderr
    assert holder(tmp_path) is None


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lend a folder to work in, and return the one where a rig's files will be."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "build/rig"


ARGUMENTS = ("--template", str(PRODUCT_TEMPLATE), "--speed", "60", "--boot-seconds", "20")


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")  # as it is meant to be
def test_a_killed_rig_leaves_nothing_after_the_next_one(place: Path) -> None:
    """Its consumers and its local AWS outlive it; the next rig ends them before it starts."""
    state = daemon.start(place, ARGUMENTS)
    produced = subprocess.run(
        [sys.executable, "-m", "producer", "--count", "60"],
        env={**os.environ, **state.client},
        capture_output=True,
        check=False,
    )
    assert produced.returncode == 0
    await_true(lambda: any("consumer" in p.cmdline() for p in labelled(place)))
    rig = psutil.Process(state.pid)
    rig.kill()
    rig.wait(PATIENCE)
    orphans = labelled(place)
    assert len(orphans) >= 2, "a consumer and the local AWS"
    assert daemon.read_state(place) is None
    again = daemon.start(place, ARGUMENTS)
    assert again.pid != state.pid
    assert not [process for process in orphans if process.is_running()]
    with pytest.raises(RigError, match="is up already"):
        daemon.start(place, ARGUMENTS)
    assert daemon.stop(place) == 1
    assert labelled(place) == []
    with pytest.raises(RigError, match="no rig is up"):
        daemon.stop(place)


def test_a_rig_that_cannot_start_says_why(place: Path) -> None:
    """In the words of the process in the background."""
    with pytest.raises(RigError, match="unknown parameter Nope"):
        daemon.start(place, (*ARGUMENTS, "--parameter", "Nope=1"))
    assert daemon.read_state(place) is None
