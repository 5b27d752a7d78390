"""The soak test: a small run over real processes, and what its figures make of a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from tidemill.cli.main import app
from tidemill.rig.chaos.runner import Happening
from tidemill.rig.chaos.soak import line_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.long
def test_no_message_is_lost_while_faults_happen(tmp_path: Path) -> None:
    """A small run: every message has an end, and every duplicate a reason."""
    asked = ["chaos", "soak", "--count", "120", "--rate", "12", "--every", "2"]
    kinds = ["--kinds", "kill,reboot,sqs-forgetful,network-lossy,sqs-errors", "--instances", "2"]
    fast = ["--speed", "20", "--boot-seconds", "5"]
    done = CliRunner().invoke(app, [*asked, *kinds, *fast, "--folder", str(tmp_path), "--json"])
    assert done.exit_code == 0, f"{done.output}\n{done.exception}"
    summary = json.loads((tmp_path / "processes-1" / "summary.json").read_text())
    assert summary["broken_promises"] == []
    assert summary["faults_planned"] == 5
    assert summary["poison_dead_lettered"] == summary["poison"] == 1
    assert summary["sent"] + summary["indeterminate"] >= 120
    assert {"plan.json", "timeline.jsonl", "timeline.png", "queues.json"} <= {
        path.name for path in (tmp_path / "processes-1").iterdir()
    }


def test_a_fault_is_one_line() -> None:
    """It says what it happened to, or why it did not."""
    assert line_of(Happening(5.0, {"kind": "kill"}, "i-1")) == "5 s: kill of i-1"
    missed = Happening(5.0, {"kind": "kill"}, missed="no instance is in service")
    assert line_of(missed) == "5 s: kill missed: no instance is in service"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        pytest.param(
            ("--world", "simulator"), "--world: choose processes or containers", id="world"
        ),
        pytest.param(("--kinds", "kill,meteor"), "--kinds: there is no fault meteor", id="kind"),
    ],
)
def test_wrong_options_are_refused(arguments: tuple[str, str], problem: str) -> None:
    """One sentence says what is wrong, with exit code 2."""
    done = CliRunner().invoke(app, ["chaos", "soak", *arguments])
    assert done.exit_code == 2
    assert problem in done.output
