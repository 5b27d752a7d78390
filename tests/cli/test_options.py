"""Parameters of the template, from the command line and from samconfig.toml."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from tidemill.cli.options import (
    DEFAULT_TEMPLATE,
    find_template,
    print_json,
    read_parameters,
    read_times,
)
from tidemill.scaling.times.calibration import Calibration, Measured, write_calibration
from tidemill.scaling.times.catalogue import USUAL, mean_of
from tidemill.scaling.times.distributions import Constant


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


def test_a_file_of_times_and_an_exact_boot_are_combined(tmp_path: Path) -> None:
    """The boot takes the option's seconds; until it runs, an instance takes the file's."""
    path = tmp_path / "mine.json"
    measured = {
        name: Measured(Constant(2.0), "now", 1, "a test") for name in ("pending", "launch_request")
    }
    path.write_text(write_calibration(Calibration("s", "r", "now", measured)))
    assert read_times(None, None) == USUAL
    mine = read_times(path, None)
    assert (mine.pending.mean, mine.installs) == (2.0, USUAL.installs)
    exact = read_times(path, 30.0)
    assert (mean_of(exact.until_running()), exact.boot()) == (4.0, 30.0)


def test_json_has_null_for_a_number_that_does_not_exist(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """NaN and Infinity are no JSON (RFC 8259)."""
    print_json({"a": [1.5, float("inf")], "b": (float("nan"), -float("inf")), "c": "NaN"})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {
        "a": [1.5, None],
        "b": [None, None],
        "c": "NaN",
    }


def test_a_run_in_another_folder_uses_the_projects_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless there is a template, or another one is named."""
    monkeypatch.chdir(tmp_path)
    assert find_template(DEFAULT_TEMPLATE).resolve() == Path(__file__).parents[2] / "template.yaml"
    assert find_template(Path("other.yaml")) == Path("other.yaml")
    Path("template.yaml").touch()
    assert find_template(DEFAULT_TEMPLATE) == DEFAULT_TEMPLATE
