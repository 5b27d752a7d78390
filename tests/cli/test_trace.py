"""The command `tidemill trace`."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tidemill.cli.main import app
from tidemill.simulator.errors import SimulationError


@pytest.mark.impure
def test_recording_without_a_region_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the missing setting."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    done = CliRunner().invoke(app, ["trace", "--queue", "work"])
    assert isinstance(done.exception, SimulationError)
    assert "region" in str(done.exception).lower()
