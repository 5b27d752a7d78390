"""Runs AWS's published examples: vector files matched to a test module's table of shapes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("untimed", deadline=None)  # a slow machine is no failure
settings.load_profile("untimed")

OWN_VECTORS = Path(__file__).parent / "vectors"


@dataclass
class Tally:
    """The ids of one file's vectors, by whether some shape fits them."""

    run: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)


TALLIES = pytest.StashKey[dict[str, Tally]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes `example` each vector that a shape of its module's SHAPES fits."""
    if "example" not in metafunc.fixturenames:
        return
    tallies: dict[str, Tally] = {}
    examples = []
    for name, vector in _vectors():
        tally = tallies.setdefault(name, Tally())
        given, expected = vector["input"], vector["expected"]
        shape = next((one for one in metafunc.module.SHAPES if one.fits(given, expected)), None)
        if shape is None:
            tally.not_run.append(vector["id"])
        else:
            tally.run.append(vector["id"])
            label = f"{name.removesuffix('.json')}:{vector['id']}"
            examples.append(pytest.param((shape, given, expected), id=label))
    metafunc.config.stash[TALLIES] = tallies
    metafunc.parametrize("example", examples)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say for each vector file how much of it was run, and what was not."""
    tallies = config.stash.get(TALLIES, {})
    if not tallies:
        return
    terminalreporter.section("published examples")
    for name, tally in sorted(tallies.items()):
        line = f"{name}: {len(tally.run)} run, {len(tally.not_run)} not run"
        listed = ", ".join(tally.not_run)
        terminalreporter.line(f"{line} ({listed})" if listed else line)


def _vectors() -> Iterator[tuple[str, dict[str, Any]]]:
    folder = Path(os.environ.get("TIDEMILL_VECTORS") or OWN_VECTORS)
    files = sorted(folder.glob("*.json"))
    if not files:
        raise pytest.UsageError(
            f"no vector files in {folder}; set TIDEMILL_VECTORS to their folder"
        )
    for file in files:
        for vector in json.loads(file.read_text(encoding="utf-8"))["vectors"]:
            yield file.name, vector
