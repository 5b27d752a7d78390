"""Tests of the command `tidemill` itself."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.impure
def test_the_version_is_that_of_the_project() -> None:
    """`tidemill --version` prints the version that pyproject.toml has."""
    command = [sys.executable, "-m", "tidemill", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert result.stdout == f"tidemill {project['version']}\n"
