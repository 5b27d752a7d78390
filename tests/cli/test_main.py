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
