"""Tests of the command `tidemill` itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


@pytest.mark.impure
def test_the_version_is_the_changelogs_newest() -> None:
    """`tidemill --version` prints the version that CHANGELOG.md lists first."""
    command = [sys.executable, "-m", "tidemill", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    newest = re.findall(r"^## (\d\S*)$", CHANGELOG.read_text(encoding="utf-8"), flags=re.MULTILINE)[
        0
    ]
    assert result.stdout == f"tidemill {newest}\n"


@pytest.mark.impure
@pytest.mark.parametrize(
    ("option", "value"),
    [("--parameter", "Colour=red"), ("--fault", "alarms-late@0,target=Low")],
    ids=["a parameter", "an alarm"],
)
def test_a_name_that_the_template_does_not_have_is_wrong_usage(option: str, value: str) -> None:
    """Exit code 2, and one line that has the names to choose from."""
    template = str(CHANGELOG.with_name("template.yaml"))
    command = [sys.executable, "-m", "tidemill", "simulate", "--scenario", "single"]
    command += ["--template", template, option, value]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert re.fullmatch(r"tidemill: .+ (Colour|Low): .+, \w+\n", result.stderr)
