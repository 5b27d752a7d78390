"""The programs of this machine that a release runs."""

from __future__ import annotations

import sys

import pytest

from tidemill.release.commands import LocalCommands

SHOW = [sys.executable, "-c", "import os; print(os.environ.get('AWS_DEFAULT_REGION', 'none'))"]
pytestmark = pytest.mark.impure


@pytest.mark.parametrize(
    ("region", "default", "seen"),
    [
        pytest.param("eu-west-1", None, "eu-west-1", id="alone"),
        pytest.param("eu-west-1", "us-east-1", "eu-west-1", id="before-the-default"),
        pytest.param(None, "us-east-1", "us-east-1", id="only-the-default"),
        pytest.param(None, None, "none", id="neither"),
    ],
)
def test_sam_gets_the_region_in_the_only_variable_that_it_reads(
    monkeypatch: pytest.MonkeyPatch, region: str | None, default: str | None, seen: str
) -> None:
    """AWS_REGION comes first, as for all other commands."""
    for name, value in (("AWS_REGION", region), ("AWS_DEFAULT_REGION", default)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert LocalCommands().answer(SHOW) == seen
