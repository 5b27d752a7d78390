"""The soak test: a small run over real processes, and what its figures make of a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from tidemill.cli.main import app
from tidemill.rig.chaos.plan import Plan
from tidemill.rig.chaos.runner import Happening, PlanRun
from tidemill.rig.chaos.soak import broken_promises, faults_of, line_of
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from pathlib import Path

GOOD: dict[str, Any] = {
    "messages": 100,
    "sent": 100,
    "indeterminate": 0,
    "poison": 1,
    "poison_dead_lettered": 1,
    "lost": 0,
    "left_in_queue": 0,
    "unexpected": 0,
    "unknown": 0,
    "unexplained_duplicates": 0,
    "faults_happened": 3,
}


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
    assert {"plan.json", "timeline.jsonl", "queues.json"} <= {
        path.name for path in (tmp_path / "processes-1").iterdir()
    }


def test_a_run_that_kept_every_promise_has_none_broken() -> None:
    """Messages whose send got no answer are accounted for as well."""
    assert broken_promises(GOOD) == []
    assert broken_promises(GOOD | {"sent": 90, "indeterminate": 10}) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"lost": 2}, "2 messages are lost", id="lost"),
        pytest.param({"left_in_queue": 2}, "2 messages are stuck in the queue", id="stuck"),
        pytest.param({"unexpected": 2}, "2 messages are unexpected", id="unexpected"),
        pytest.param({"unknown": 2}, "2 messages are of unknown fate", id="unknown"),
        pytest.param(
            {"poison_dead_lettered": 0},
            "1 malformed messages are not among the dead letters",
            id="poison",
        ),
        pytest.param(
            {"unexplained_duplicates": 2}, "2 duplicates have no explanation", id="duplicates"
        ),
        pytest.param({"faults_happened": 0}, "no fault happened", id="faults"),
        pytest.param({"sent": 90}, "10 messages were not sent", id="sent"),
    ],
)
def test_each_broken_promise_is_a_sentence(changes: dict[str, int], sentence: str) -> None:
    """So the run fails, and says why."""
    assert broken_promises(GOOD | changes) == [sentence]


def test_the_ledger_learns_of_faults_that_happened_to_one_instance() -> None:
    """Those of all callers, of metrics and of the producer explain nothing by themselves."""
    run = PlanRun(Plan((), 0), _never, speed=1)
    for kind, target, missed in (
        ("kill", "i-1", ""),
        ("network-cut", "i-1", ""),
        ("freeze", "i-2", ""),
        ("freeze", "", "no instance is in service"),
        ("sqs-slow", "every caller", ""),
        ("sqs-slow", "producer", ""),
        ("metrics-late", "SQS's metrics", ""),
    ):
        run.done.append(Happening(1.0, {"kind": kind}, target, missed))
    assert faults_of(run) == {"i-1": ["kill", "network-cut"], "i-2": ["freeze"]}


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


def _never(_: object) -> str:
    raise RigError("no fault happens here")
