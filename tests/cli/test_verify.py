"""The command as people run it: usage, and a whole run against a rig."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE

from tidemill.rig import background
from tidemill.rig.local_aws.clients import without_aws
from tidemill.scaling.times.calibration import read_calibration
from tidemill.scaling.times.catalogue import NAMES
from tidemill.verify.plan import NAMES as CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.impure  # every test starts the command

SPEED = "20"
COMMAND = (sys.executable, "-m", "tidemill", "verify", "--template", str(PRODUCT_TEMPLATE))


def run(
    folder: Path, *arguments: str, typed: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, with these variables in its environment."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**without_aws(os.environ), **settings},
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only", "nothing"), "--only nothing: choose from stack, template, "),
        (("--only", "delay"), "--only delay: it acts: --act"),
        (("--only", "delete", "--act"), "--only delete: it deletes the stack: --delete"),
        (("--output", "no/such/file.json"), "--output: there is no folder no/such"),
        (("--record", "."), "--record: . is a folder: name a file"),
        (("--record", "./calibration.json"), "--output and --record are both calibration.json"),
    ],
    ids=["unknown", "not allowed", "not deleted", "no folder", "a folder", "one file for both"],
)
def test_wrong_usage_is_one_line(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """Exit code 2, before anything is asked."""
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_a_region_or_credentials_there_is_one_line(tmp_path: Path) -> None:
    """Exit code 1, and what to do."""
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        "tidemill: no AWS region: set AWS_REGION, or give --region\n",
    )


def test_the_list_needs_no_aws(tmp_path: Path) -> None:
    """All checks with their permissions, for people and for machines."""
    done = run(tmp_path, "--list")
    assert done.returncode == 0
    assert [name for name in CHECKS if f"{name}  " not in done.stdout] == []
    listed = json.loads(run(tmp_path, "--list", "--json").stdout)["checks"]
    assert [check["name"] for check in listed] == list(CHECKS)
    assert all(check["permissions"] for check in listed)
    cost = {check["name"]: check["usd"] for check in listed}
    assert {name for name, usd in cost.items() if usd > 0} > {"steps", "zero", "delete"}
    assert cost["stack"] == 0
    assert max(cost.values()) < 0.03  # a few US cents


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """Start a rig with fast time; return a folder and the environment of its clients."""
    folder = tmp_path_factory.mktemp("verified")
    arguments = ("--template", str(PRODUCT_TEMPLATE), "--speed", SPEED, "--boot-seconds", "30")
    before = os.getcwd()  # noqa: PTH109 - a rig's own files are relative to it
    os.chdir(folder)
    try:
        state = background.start(folder / "build/rig", arguments)
    finally:
        os.chdir(before)
    yield folder, state.client
    background.stop(folder / "build/rig")


def verdicts(record: dict[str, Any]) -> dict[str, str]:
    """Return the verdict of each check."""
    return {check["name"]: check["verdict"] for check in record["checks"]}


def rows(record: dict[str, Any], name: str) -> dict[str, str]:
    """Return the verdicts of a check's rows."""
    (check,) = (check for check in record["checks"] if check["name"] == name)
    return {row["what"]: row["verdict"] for row in check["rows"]}


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:subprocess .* is still running")  # as it is meant to be
def test_a_rig_is_verified_and_its_gaps_are_no_agreement(
    rig: tuple[Path, dict[str, str]],
) -> None:
    """Steps, causes and the way to 0 agree; quotas, reboots and logs are not observed there.

    Times are not compared: on a busy machine a second is twenty of AWS's.
    """
    folder, client = rig
    names = ("group", "policies", "quota", "steps", "cause", "zero", "reboot")
    only = [word for name in names for word in ("--only", name)]
    done = run(folder, "--speed", SPEED, "--act", "--yes", "--json", *only, **client)
    assert "which is not AWS: nothing here is an answer of AWS" in done.stderr
    record = json.loads(done.stdout)
    found = verdicts(record)
    assert done.returncode == int("differs" in found.values()), done.stderr
    zero = rows(record, "zero")
    assert zero["after the message: messages, desired capacity, instances"] == "agrees"
    assert zero["message processed -> scale-in begins"] == "not observed"
    assert found.pop("zero") != "agrees"
    assert found == {
        "group": "agrees",
        "policies": "agrees",
        "quota": "not observed",
        "steps": "agrees",
        "cause": "agrees",
        "reboot": "not observed",
    }
    assert json.loads((folder / "verification.json").read_text())["seen"] == record["seen"]
    measured = read_calibration((folder / "calibration.json").read_text(), "calibration.json")
    assert "not AWS" in measured.about["endpoint"]
    assert set(measured.times) <= set(NAMES)
    assert "terminate" in measured.times


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interruption_restores_the_group_and_keeps_what_was_seen(
    rig: tuple[Path, dict[str, str]], tmp_path: Path, number: signal.Signals
) -> None:
    """The processes are resumed, and the record says what was tried."""
    folder, client = rig
    environment = {**without_aws(os.environ), **client}
    command = [*COMMAND, "--speed", SPEED, "--act", "--yes", "--only", "warm-up"]
    process = subprocess.Popen(
        [*command, "--record", str(tmp_path / "record.json")],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert any("in service, within the warm-up" in line for line in process.stderr)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number, errors
    assert "desired capacity 0 again, and alarms scale the group" in errors
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["seen"]["warm-up"]["pending"] == 1
    assert "done" not in record["seen"]["warm-up"]
    done = run(folder, "--only", "group", **client)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        "checks: 1 agrees, 0 differs, 0 not observed",
    )


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
def test_what_a_rig_does_not_deploy_differs(rig: tuple[Path, dict[str, str]]) -> None:
    """Reading alone asks nothing, writes nothing, and exits with 1."""
    folder, client = rig
    before = set(folder.iterdir())
    done = run(folder, "--only", "stack", "--only", "template", **client)
    assert done.returncode == 1
    assert "differs stack: " in done.stdout
    assert "what to do: " in done.stdout
    assert set(folder.iterdir()) == before


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (("--act",), "n\n"),
        (("--act",), ""),
        (("--delete",), "y\n"),
        (("--act", "--delete"), "other\n"),
    ],
    ids=["act", "no terminal", "delete", "both"],
)
def test_nothing_is_sent_without_a_confirmation(
    rig: tuple[Path, dict[str, str]], arguments: tuple[str, ...], typed: str
) -> None:
    """A deletion needs the stack's name; what will be done and its cost are printed before."""
    folder, client = rig
    done = run(folder, "--speed", SPEED, *arguments, typed=typed, **client)
    assert done.returncode == 1
    assert "together about " in done.stderr
    assert "US cents" in done.stderr
    assert done.stderr.endswith("tidemill: not confirmed: nothing was sent or changed\n")
    assert done.stdout.strip() == ""  # the prompt itself prints a blank there


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
def test_a_file_that_cannot_be_used_is_wrong_usage(rig: tuple[Path, dict[str, str]]) -> None:
    """A record that does not exist, and measured times of another program."""
    folder, client = rig
    done = run(folder, "--resume", "--record", "none.json", **client)
    assert (done.returncode, done.stderr) == (
        2,
        "tidemill: --resume: cannot read none.json: No such file or directory\n",
    )
    (folder / "other.json").write_text("{}")
    done = run(folder, "--output", "other.json", **client)
    assert done.returncode == 2
    assert done.stderr.startswith("tidemill: --output other.json: ")


@pytest.mark.filterwarnings("ignore:subprocess .* is still running")
def test_a_stack_that_does_not_exist_is_one_line(rig: tuple[Path, dict[str, str]]) -> None:
    """Exit code 1."""
    folder, client = rig
    done = run(folder, "--stack", "other", **client)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("tidemill: there is no stack other in us-east-1")
