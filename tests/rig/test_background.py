"""A rig in the background, used from other processes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import boto3
import psutil
import pytest
from support.builders.fleets import PRODUCT_TEMPLATE
from support.emulators.rigs import labelled

from tidemill.rig import background as daemon
from tidemill.rig.errors import RigError
from tidemill.rig.lock import holder, locked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mypy_boto3_autoscaling import AutoScalingClient

PATIENCE = 60.0
ARGUMENTS = ("--template", str(PRODUCT_TEMPLATE), "--speed", "60", "--boot-seconds", "20")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a fresh folder, and return the folder in it for a rig's files."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "build/rig"


def await_true(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the condition was not true in time"
        time.sleep(0.05)


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")  # as it is meant to be
def test_a_killed_rig_leaves_nothing_after_the_next_one(place: Path) -> None:
    """Its consumers and its local AWS outlive it; the next rig ends them at its start."""
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
    with pytest.raises(RigError, match=f"is up already .process {again.pid}."):
        daemon.start(place, ARGUMENTS)
    assert daemon.stop(place) == 1
    assert labelled(place) == []
    with pytest.raises(RigError, match="no rig is up"):
        daemon.stop(place)


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
def test_a_rig_in_the_background_serves_the_auto_scaling_api(place: Path) -> None:
    """Its URL is in the rig's state and in the environment of clients."""
    state = daemon.start(place, ARGUMENTS)
    try:
        assert state.client["AWS_ENDPOINT_URL_AUTO_SCALING"] == state.autoscaling_url
        keys = (place / daemon.STATE).stat()
        assert stat.S_IMODE(keys.st_mode) == 0o600, "it has the user's keys"
        assert state.producer["AWS_ACCESS_KEY_ID"] == "tidemill-producer", "faults can name it"
        client = autoscaling_client(state)
        (group,) = client.describe_auto_scaling_groups()["AutoScalingGroups"]
        client.close()
        assert (group["AutoScalingGroupName"], group["DesiredCapacity"]) == ("tidemill-workers", 0)
        done = chaos(place)
        assert (done.returncode, done.stdout) == (1, "")
        assert "no instance is in service: the fault needs one" in done.stderr
    finally:
        daemon.stop(place)


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
def test_a_rig_ends_when_its_group_is_deleted(place: Path) -> None:
    """There is nothing left to scale; the local AWS ends with the rig."""
    state = daemon.start(place, ARGUMENTS)
    client = autoscaling_client(state)
    client.delete_auto_scaling_group(AutoScalingGroupName="tidemill-workers")
    client.close()
    await_true(lambda: not labelled(place) and holder(place) is None)
    with pytest.raises(RigError, match="no rig is up"):
        daemon.stop(place)


def autoscaling_client(state: daemon.RigState) -> AutoScalingClient:
    """Return a client of a rig's Auto Scaling API."""
    return boto3.client(
        "autoscaling",
        endpoint_url=state.autoscaling_url,
        region_name="us-east-1",
        aws_access_key_id=state.keys().access_key,
        aws_secret_access_key=state.keys().secret_key,
    )


def test_without_a_rig_there_is_nothing_to_interrupt(place: Path) -> None:
    """The error is one line that says what to do."""
    done = chaos(place)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "tidemill: no rig is up: start one with `tidemill up`, or give the --endpoint-url of a "
        "fleet\n"
    )


def chaos(place: Path) -> subprocess.CompletedProcess[str]:
    """Run `tidemill chaos spot` where the rig's folder is the default one."""
    return subprocess.run(
        [sys.executable, "-m", "tidemill", "chaos", "spot"],
        cwd=place.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
def test_what_a_killed_rig_left_is_ended_without_a_next_one(place: Path) -> None:
    """`tidemill down` does it, as with a rig that runs."""
    state = daemon.start(place, ARGUMENTS)
    rig = psutil.Process(state.pid)
    rig.kill()
    rig.wait(PATIENCE)
    left = len(labelled(place))
    assert left >= 1
    assert daemon.stop(place) == left
    assert labelled(place) == []


def test_a_rig_that_cannot_start_says_why(place: Path) -> None:
    """The error is that of the process in the background."""
    with pytest.raises(RigError, match=r"^unknown parameter Nope"):
        daemon.start(place, (*ARGUMENTS, "--parameter", "Nope=1"))
    assert daemon.read_state(place) is None


def test_a_state_counts_only_while_its_own_rig_is_up(tmp_path: Path) -> None:
    """The state that a killed rig wrote is ignored."""
    state = daemon.RigState(
        pid=os.getpid(),
        endpoint="http://127.0.0.1:1",
        autoscaling_url="http://127.0.0.1:2",
        queue_url="url",
        dead_letter_url=None,
        client={},
        status={},
    )
    (tmp_path / daemon.STATE).write_text(json.dumps(asdict(state)))
    assert daemon.read_state(tmp_path) is None
    with locked(tmp_path):
        assert daemon.read_state(tmp_path) == state
        other = {**asdict(state), "pid": os.getppid()}
        (tmp_path / daemon.STATE).write_text(json.dumps(other))
        assert daemon.read_state(tmp_path) is None


@pytest.mark.parametrize("text", ["", '{"pid": 1', "[]", '{"pid": 1}', "\udcff"], ids=repr)
def test_a_damaged_state_is_a_sentence(tmp_path: Path, text: str) -> None:
    """It says what to do; without a rig the damage does not matter."""
    (tmp_path / daemon.STATE).write_text(text, errors="surrogateescape")
    assert daemon.read_state(tmp_path) is None
    said = f"{daemon.STATE} is damaged .*`tidemill down` ends a rig"
    with locked(tmp_path), pytest.raises(RigError, match=said):
        daemon.read_state(tmp_path)


def test_a_state_without_keys_is_a_sentence() -> None:
    """Whoever needs them is told how to get them."""
    state = daemon.RigState(1, "", "", "", None, client={}, status={})
    with pytest.raises(RigError, match="has no keys: the rig writes it anew every second"):
        state.keys()


def test_without_a_rig_there_is_nothing_to_end(tmp_path: Path) -> None:
    """This holds whether or not a rig was ever up."""
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(RigError, match="no rig is up: start one with `tidemill up`"):
            daemon.stop(folder)
    assert not (tmp_path / "none").exists()


def test_a_rig_that_ends_by_itself_just_now_is_ended(tmp_path: Path) -> None:
    """Its process id is no longer in use."""
    process = subprocess.Popen([sys.executable, "-c", ""], cwd=tmp_path)
    process.wait(PATIENCE)
    daemon._end(tmp_path, process.pid)


def test_a_folder_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    """The error has the reason."""
    (tmp_path / "build").touch()
    with pytest.raises(RigError, match=r"cannot write to .*build/rig"):
        daemon.start(tmp_path / "build/rig", ARGUMENTS)
