"""The commands of a rig that stays up."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.impure
def test_the_help_of_produce_is_the_producers(tmp_path: Path) -> None:
    """It lists the producer's options, whether a rig runs or not."""
    command = [sys.executable, "-m", "tidemill", "produce", "--help"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "--skip-invalid" in result.stdout


@pytest.mark.impure
@pytest.mark.parametrize("command", ["status", "down", "produce"])
def test_without_a_rig_one_line_says_how_to_start_one(tmp_path: Path, command: str) -> None:
    """Exit code 1, and nothing is created."""
    done = subprocess.run(
        [sys.executable, "-m", "tidemill", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("tidemill: no rig is up: start one with `tidemill up`")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
