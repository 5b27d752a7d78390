"""The product against the examples that AWS publishes, whatever their ids.

An example is run by the first kind that knows its fields. Some kinds are not run, each for a
reason. An example of no kind, or with a field that its kind does not know, fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.examples import vectors
from support.examples.all_kinds import find
from support.examples.described_calls import call_of
from support.examples.not_run import DEPARTURES, NO_LONGER_PRINTED
from support.examples.sqs_answers import agrees, answers, told

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.ministack import Ministack
    from support.examples.kind import Match

MOST_LEFT_OUT = 37


def test_a_published_example_holds(example: Match) -> None:
    """The core, the simulator's queue, or a constant gives the results that AWS publishes."""
    example.run()


@pytest.mark.impure
def test_a_published_example_holds_at_a_server(example_of_a_server: Match) -> None:
    """The rig's metadata service, or moto in this process, answers as AWS does."""
    example_of_a_server.run()


@pytest.mark.impure
def test_a_published_example_holds_at_an_emulator_of_sqs(
    example_of_sqs: Match, ministack: Ministack
) -> None:
    """MiniStack answers as SQS does, and the product makes of an error what it should."""
    example_of_sqs.run(ministack)


def test_an_example_is_of_some_kind(published: dict[str, Any]) -> None:
    """Every field is understood, and what is not run has a reason."""
    found = find(published).kind
    assert (found.check is None) is bool(found.why_not_run)


@pytest.mark.parametrize("name", ["cw_alarm_missing_data", "cw_metric_math_and_statistics"])
def test_every_example_of_these_files_has_a_shape(name: str) -> None:
    """Every example of alarm states and metric math is run that AWS still prints."""
    tally = vectors.tallies(vectors.chosen()).get(f"{name}.json")
    if tally is None:
        pytest.skip(f"{vectors.chosen()} has no {name}.json")
    assert tally.unfit == []
    assert tally.not_run.keys() <= {NO_LONGER_PRINTED}


def test_most_examples_are_run() -> None:
    """What the project has is of some kind, and little of it is not run."""
    found = vectors.tallies(vectors.OWN).values()
    assert [one for tally in found for one in tally.unfit] == []
    assert sum(tally.left_out() for tally in found) <= MOST_LEFT_OUT


@pytest.mark.impure
@pytest.mark.parametrize(
    "vector",
    [
        pytest.param(one, id=one["id"])
        for _, one in vectors.read(vectors.OWN)
        if find(one).kind in DEPARTURES
    ],
)
def test_an_error_is_not_run_only_if_the_emulator_departs_from_aws(
    vector: dict[str, Any], ministack: Ministack
) -> None:
    """If MiniStack follows AWS one day, the error can be run."""
    found = [told(answer) for answer in answers(call_of(vector["input"]), ministack)]
    assert not any(agrees(one, vector["expected"]) for one in found)


def test_a_folder_without_files_is_an_error(tmp_path: Path) -> None:
    """The error names the setting."""
    with pytest.raises(vectors.FolderError, match="set TIDEMILL_VECTORS to their folder"):
        list(vectors.read(tmp_path))
