"""The command `tidemill lint`: output, exit codes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE
from typer.testing import CliRunner

from tidemill.cli.main import app

FOLDER = Path(__file__).parents[1] / "scaling" / "example_templates"
FIGHTING = str(FOLDER / "percent_steps.yaml")


def run(*words: str) -> Any:  # noqa: ANN401 - typer's own result
    """Run the command, on a terminal that is wide enough."""
    return CliRunner().invoke(app, ["lint", *words])


def test_the_product_passes() -> None:
    """The command checks template.yaml if no template is given."""
    done = run(str(PRODUCT_TEMPLATE), "--parameter", "MessageSeconds=600")
    assert (done.exit_code, done.stdout) == (0, f"{PRODUCT_TEMPLATE}: nothing found\n")


def test_findings_are_printed_worst_first_with_their_places() -> None:
    """Each has file, line and column; reason and fix are printed once for each rule."""
    done = run(FIGHTING)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("error fighting-alarms: ")
    assert lines[1].startswith(f"  {FIGHTING}:66:7 Busy scales out and Calm scales in while ")
    assert lines[2].startswith("  why: ")
    assert lines[2].endswith("(AWS: Dynamic scaling for Amazon EC2 Auto Scaling)")
    assert lines[3].startswith("  fix: ")
    assert f"{FIGHTING}: 1 error, 4 warnings, 1 note" in lines


def test_what_no_rule_looks_at_is_listed() -> None:
    """The list has every part that no rule checks."""
    done = run(str(FOLDER / "sam_with_globals.yaml"))
    assert "not modelled: Transform: AddOwnerTags is not modelled" in done.stdout


def test_a_queue_of_another_stack_is_named() -> None:
    """The rules cannot check that queue's settings."""
    done = run(str(FOLDER / "launch_configuration.json"))
    assert "the queue conversion-input is not in this template" in done.stdout


def test_notes_alone_are_no_failure() -> None:
    """The exit code is 0."""
    done = run(str(PRODUCT_TEMPLATE), "-P", "WarmupSeconds=0")
    assert done.exit_code == 0
    assert "note reckons-too-soon" in done.stdout


def test_findings_are_printed_as_json() -> None:
    """The output is one object with all fields of each finding."""
    done = run(FIGHTING, "--json")
    assert done.exit_code == 1
    printed = json.loads(done.stdout)
    assert printed.keys() == {"template", "findings", "not_modelled"}
    fight = next(one for one in printed["findings"] if one["rule"] == "fighting-alarms")
    assert (fight["severity"], fight["line"], fight["logical_id"]) == ("error", 66, "Calm")
    assert all(fight[key] for key in ("what", "why", "page", "fix"))


def test_findings_are_printed_as_sarif() -> None:
    """The exit code is the same."""
    done = run(FIGHTING, "--sarif")
    assert done.exit_code == 1
    assert len(json.loads(done.stdout)["runs"][0]["results"]) == 6


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nowhere.yaml"], "nowhere.yaml: No such file or directory"),
        ([FIGHTING, "--json", "--sarif"], "--json and --sarif cannot be combined"),
        ([FIGHTING, "--parameter", "Nothing=1"], "unknown parameter Nothing"),
        ([FIGHTING, "--parameter", "Nothing"], "--parameter Nothing: give NAME=VALUE"),
        ([str(FOLDER / "for_each.yaml")], "Fn::ForEach is not supported here"),
        ([str(FOLDER / "custom_metric.yaml")], "the scaling alarms watch no queue"),
        ([str(PRODUCT_TEMPLATE.with_name("docs") / "timeline.png")], "not a UTF-8 text"),
    ],
    ids=["file", "both", "parameter", "no-value", "loop", "no-queue", "picture"],
)
def test_what_cannot_be_checked_is_wrong_usage(words: list[str], complaint: str) -> None:
    """The exit code is 2, and one sentence names the file or the option."""
    done = CliRunner().invoke(app, ["lint", *words], env={"COLUMNS": "500", "TERM": "dumb"})
    assert done.exit_code == 2
    assert complaint in done.stderr
