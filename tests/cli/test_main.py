"""Tests of the command `tidemill` itself."""

from __future__ import annotations

import re
import signal
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


@pytest.mark.impure
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--trace", "none.csv"), "--trace: cannot read none.csv: No such file or directory"),
        (("--group", "Nope"), "Resources: no Auto Scaling group Nope; there are: WorkerGroup"),
    ],
    ids=["a trace", "a group"],
)
def test_a_choice_that_is_not_there_is_wrong_usage(arguments: tuple[str, str], said: str) -> None:
    """Exit code 2, as for a file of messages that is not there."""
    template = str(CHANGELOG.with_name("template.yaml"))
    command = [sys.executable, "-m", "tidemill", "simulate", "--template", template, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"tidemill: {said}\n"


@pytest.mark.impure
def test_ctrl_c_during_imports_is_a_sentence(tmp_path: Path) -> None:
    """They take a second, in which people do press it."""
    (tmp_path / "typer.py").write_text(
        "import time\nprint('importing', flush=True)\ntime.sleep(60)"
    )
    command = [sys.executable, "-m", "tidemill", "--version"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "tidemill: ended by Ctrl-C\n"
    assert process.returncode == 130


@pytest.mark.impure
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_full_standard_output_is_a_failure_in_a_sentence() -> None:
    """There is no traceback, neither at once nor when Python ends."""
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "tidemill", "--version"]
        result = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 1
    assert result.stderr == "tidemill: cannot write: No space left on device\n"
