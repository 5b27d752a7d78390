"""The command `tidemill chaos run`: plans of faults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.builders.sessions import GUARD, KEYS
from support.fakes.groups import ONE, TWO, group_of_two
from typer.testing import CliRunner

from tidemill.cli.chaos.kinds import app
from tidemill.rig.autoscaling.server import serving
from tidemill.rig.chaos.plan import Plan, write_plan
from tidemill.scaling.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

FAST = ("--speed", "1000")
PLAN = Plan((Fault("kill", TWO, 10.0), Fault("spot", "i-9", 20.0)), 30.0, seed=5)


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    """Provide a file with a plan of two faults, of which the second finds no target."""
    file = tmp_path / "plan.json"
    file.write_text(write_plan(PLAN))
    return file


def run(*arguments: str) -> tuple[int, str]:
    """Return the exit code and the output of `tidemill chaos run`."""
    done = CliRunner().invoke(app, ["run", *arguments])
    return done.exit_code, done.output


def test_a_plan_is_printed_before_anything_happens() -> None:
    """The same seed prints the same plan, a line for each fault."""
    asked = (
        "--dry-run",
        "--seed",
        "3",
        "--minutes",
        "20",
        "--every",
        "60",
        "--kinds",
        "kill, spot",
    )
    code, output = run(*asked)
    assert (code, output) == run(*asked)
    head, *lines = output.splitlines()
    assert head == "plan of seed 3: 20 faults in 20 minutes"
    assert len(lines) == 20
    assert all("kill of instance" in line or "spot of instance" in line for line in lines)


def test_a_plan_that_was_saved_is_the_same_plan_again(tmp_path: Path) -> None:
    """So a run is repeated from a file."""
    file = tmp_path / "plan.json"
    first = run("--dry-run", "--json", "--seed", "9", "--save", str(file))
    assert first[0] == 0
    assert run("--dry-run", "--json", "--plan", str(file)) == first


@pytest.mark.impure
def test_faults_happen_in_the_fleet_at_the_url(
    plan_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output says what became of each; one that finds no target is counted as missed."""
    for name, value in KEYS.environment().items():
        monkeypatch.setenv(name, value)
    group = group_of_two()
    with serving(group, GUARD) as url:
        code, output = run("--plan", str(plan_file), "--endpoint-url", url, *FAST)
    assert code == 0, output
    assert group.faults == [Fault("kill", TWO)]
    assert f"10 s: kill happened to {TWO}" in output
    assert "20 s: spot missed: the group has no instance i-9" in output
    assert output.endswith("1 of 2 faults happened\n")


@pytest.mark.impure
def test_the_figures_are_one_json_object(plan_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the seed, and each fault with its target."""
    for name, value in KEYS.environment().items():
        monkeypatch.setenv(name, value)
    with serving(group_of_two(), GUARD) as url:
        code, output = run("--plan", str(plan_file), "--endpoint-url", url, "--json", *FAST)
    assert code == 0, output
    figures = json.loads(output)
    assert (figures["seed"], figures["faults_happened"], figures["faults_planned"]) == (5, 1, 2)
    assert [one["target"] for one in figures["faults"]] == [TWO, ""]


@pytest.mark.impure
def test_a_run_in_which_nothing_happened_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the first reason."""
    for name, value in KEYS.environment().items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "plan.json"
    file.write_text(write_plan(Plan((Fault("kill", "i-9", 1.0),), 2.0)))
    with serving(group_of_two(), GUARD) as url:
        done = CliRunner().invoke(app, ["run", "--plan", str(file), "--endpoint-url", url, *FAST])
    assert done.exit_code == 1
    assert str(done.exception) == "no fault happened: the group has no instance i-9"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(("--kinds", "meteor"), "--kinds: there is no fault meteor", id="kind"),
        pytest.param(("--kinds", ","), "--kinds: there is no fault to draw", id="no-kind"),
        pytest.param(("--plan", "nowhere.json"), "--plan: cannot read nowhere.json", id="file"),
        pytest.param(
            ("--dry-run", "--save", "no/where/plan.json"), "--save: cannot write", id="save"
        ),
        pytest.param(("--minutes", "0"), "Invalid value for '--minutes'", id="minutes"),
    ],
)
def test_wrong_options_are_refused(
    arguments: tuple[str, ...], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence says what is wrong, with exit code 2."""
    monkeypatch.chdir(tmp_path)
    code, output = run(*arguments)
    assert code == 2
    assert problem in output


def test_a_file_that_is_no_plan_is_refused(tmp_path: Path) -> None:
    """The sentence names the file."""
    file = tmp_path / "plan.json"
    file.write_text("{}")
    code, output = run("--plan", str(file))
    assert code == 2
    assert "plan.json is not a plan of faults" in " ".join(output.split())


def test_without_a_rig_nothing_can_happen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to do."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["run"])
    assert str(done.exception).endswith("or give the --endpoint-url of a fleet")
    assert ONE not in done.output
