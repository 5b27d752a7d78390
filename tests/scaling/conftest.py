"""Runs published examples: each one of the chosen folder is matched to its kind, and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from support.examples import vectors
from support.examples.all_kinds import find
from support.examples.kind import ExampleError, Place, UnknownFieldError

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("untimed", deadline=None)  # a slow machine is no failure
settings.load_profile("untimed")

FIXTURES = {
    "example": Place.CORE,
    "example_of_a_server": Place.SERVER,
    "example_of_sqs": Place.SQS,
}
TALLIES = pytest.StashKey[dict[str, vectors.Tally]]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test every example as `published`, or as a match those that are run in its place."""
    for fixture, place in FIXTURES.items():
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, list(_matches(place)))
    if "published" in metafunc.fixturenames:
        labelled = [pytest.param(one, id=label) for label, one in _labelled()]
        metafunc.parametrize("published", labelled)
        metafunc.config.stash[TALLIES] = vectors.tallies(vectors.chosen())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say for each vector file how much of it was run, and why the rest was not."""
    tallies = config.stash.get(TALLIES, {})
    if not tallies:
        return
    terminalreporter.section("published examples")
    for name, tally in tallies.items():
        terminalreporter.line(f"{name}: {len(tally.run)} run, {tally.left_out()} not run")
        for why, ids in tally.not_run.items():
            terminalreporter.line(f"  not run: {', '.join(ids)}: {why}")
        if tally.unfit:
            terminalreporter.line(f"  of no kind: {', '.join(tally.unfit)}")


def _labelled() -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        for name, vector in vectors.read(vectors.chosen()):
            yield f"{name.removesuffix('.json')}:{vector['id']}", vector
    except vectors.FolderError as error:
        raise pytest.UsageError(str(error)) from None


def _matches(place: Place) -> Iterator[Any]:
    """Yield what is run in a place; what is of no kind fails in a test of its own."""
    for label, vector in _labelled():
        try:
            found = find(vector)
        except (ExampleError, UnknownFieldError):
            continue
        if found.kind.place is place and not found.kind.why_not_run:
            yield pytest.param(found, id=label)
