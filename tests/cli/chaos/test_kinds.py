"""The commands of `tidemill chaos`, made from the table of faults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import typer
from support.builders.sessions import GUARD, KEYS
from support.fakes.groups import ONE, TWO, group_of_two
from typer.testing import CliRunner

from tidemill.cli.chaos.kinds import app, fault_command
from tidemill.rig.autoscaling.server import serving
from tidemill.scaling import faults
from tidemill.scaling.fault_kinds import KINDS, SPOT, FaultParameter, WorldKind
from tidemill.scaling.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path


def test_every_fault_that_a_rig_can_imitate_is_a_command() -> None:
    """The command's help is the meaning in the table."""
    for name, kind in KINDS.items():
        shown = CliRunner().invoke(app, [name, "--help"])
        known = bool(kind.worlds - {WorldKind.SIMULATOR})
        assert (shown.exit_code == 0) is known
        assert not known or kind.meaning.split(":")[0] in " ".join(shown.output.split())


def hold_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the keys of the fleet's session."""
    for name, value in KEYS.environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("missing", KEYS.environment())
def test_a_fleet_at_a_url_needs_its_keys(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which variables and where they are from."""
    hold_keys(monkeypatch)
    monkeypatch.delenv(missing)
    done = CliRunner().invoke(app, ["spot", "--endpoint-url", "http://127.0.0.1:1"])
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in str(done.exception)


@pytest.mark.impure
@pytest.mark.parametrize(
    ("words", "target"), [((), ONE), ((TWO,), TWO)], ids=["no-target", "target"]
)
def test_a_fault_reaches_the_fleet_at_the_url(
    words: tuple[str, ...], target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer names its target; the keys are those that AWS's tools take."""
    hold_keys(monkeypatch)
    group = group_of_two()
    with serving(group, GUARD) as url:
        done = CliRunner().invoke(app, ["spot", *words, "--endpoint-url", url])
    assert (done.exit_code, done.output) == (0, f"{target} got the notice that it ends\n")
    assert group.faults == [Fault(SPOT.name, target)]


def test_without_a_url_the_rig_that_is_up_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a running rig, the error says what to do."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["spot"])
    assert str(done.exception).endswith("or give the --endpoint-url of a fleet")


@pytest.mark.impure
def test_a_parameter_of_a_fault_is_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """The help has the parameter's default and meaning."""
    kind = replace(
        SPOT, name="nap", parameters=(FaultParameter("nap_seconds", 30.0, "How long it sleeps."),)
    )
    monkeypatch.setattr(faults, "KINDS", {"nap": kind})
    program = typer.Typer(rich_markup_mode=None)
    program.command()(fault_command(kind))
    hold_keys(monkeypatch)
    shown = " ".join(CliRunner().invoke(program, ["--help"]).output.split())
    assert "--nap-seconds" in shown
    assert "How long it sleeps. [default: 30]" in shown
    group = group_of_two()
    with serving(group, GUARD) as url:
        done = CliRunner().invoke(program, ["--nap-seconds", "5", "--endpoint-url", url])
    assert done.exit_code == 0
    assert group.faults == [Fault("nap", ONE, parameters={"nap_seconds": 5.0})]
