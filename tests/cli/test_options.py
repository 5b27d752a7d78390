"""Parameters of the template, from the command line and from samconfig.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import typer

from tidemill.cli.options import read_parameters

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "samconfig.toml").write_text(
        '[dev.deploy.parameters]\nstack_name = "dev"\n'
        'parameter_overrides = ["MaxInstances=2", "HoldSeconds=120"]\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)


def test_an_environments_parameters_come_from_samconfig() -> None:
    """They are read as `sam deploy` reads them; a later parameter overrides them."""
    assert read_parameters(["@dev", "HoldSeconds=900"]) == {
        "MaxInstances": "2",
        "HoldSeconds": "900",
    }
    assert read_parameters(["HoldSeconds=900", "@dev"]) == {
        "MaxInstances": "2",
        "HoldSeconds": "120",
    }
    assert read_parameters(None) == {}


def test_an_environment_that_is_not_there_is_wrong_usage() -> None:
    """The error lists the environments that exist."""
    with pytest.raises(typer.BadParameter, match=r"--parameter @test: .* choose one of dev"):
        read_parameters(["@test"])
