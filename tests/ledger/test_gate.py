"""Mutant gate: the ledger sees each fault that producer and worker could have.

Real programs run over an SQS that is not always kind. Unbroken ones have no problem; each mutant,
which is broken on purpose in one place, has the one that belongs to it. `make gate` runs all.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from support.gate.mutants import ROOT, Mutant, copy_of, read_mutants
from support.gate.scripts import tried

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from support.emulators.ministack import Ministack
    from support.gate.scripts import Found

ALL = bool(os.environ.get("GATE"))
"""Whether `make gate` runs this."""

AT_ONCE = 2
"""Trials at the same time: they mostly wait."""

MUTANTS = [mutant for mutant in read_mutants() if mutant.quick or ALL]


@pytest.fixture(scope="module")
def found(
    ministack: Ministack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Found]]]:
    """Begin all trials, and provide what will be found in each, by the name of mutant or trial."""
    folder, environment = tmp_path_factory.mktemp("gate"), ministack.environment
    pool = ThreadPoolExecutor(AT_ONCE)

    def begin(place: int, trial: str, mutant: Mutant | None = None) -> Future[Found]:
        copy = copy_of(folder / f"copy-{place}", mutant)
        return pool.submit(tried, trial, environment, copy, folder / f"trial-{place}")

    begun = {trial: begin(place, trial) for place, trial in enumerate(("busy", "idle"), -2)}
    yield begun | {
        mutant.name: begin(place, mutant.trial, mutant) for place, mutant in enumerate(MUTANTS)
    }
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("mutant", read_mutants(), ids=lambda mutant: mutant.name)
def test_each_mutant_is_of_todays_programs(mutant: Mutant) -> None:
    """Its file has what it replaces, once, and it says what the ledger has to see."""
    assert mutant.text()
    assert mutant.seen
    assert mutant.trial in {"busy", "idle", "fleet"}


@pytest.mark.impure
@pytest.mark.timeout(900)
@pytest.mark.parametrize("trial", ["busy", "idle"])
def test_unbroken_programs_have_no_problem(found: dict[str, Future[Found]], trial: str) -> None:
    """What a mutant is seen by is not there, so that it cannot be seen by chance."""
    result = found[trial].result()

    assert result.texts == []
    assert [one.name for one in read_mutants() if one.trial == trial and one.is_seen(result)] == []


@pytest.mark.impure
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_ledger_sees_every_mutant(found: dict[str, Future[Found]], mutant: Mutant) -> None:
    """It says what the mutant has done wrong."""
    result = found[mutant.name].result()

    assert mutant.is_seen(result), (result.texts, result.figures)


def test_the_page_has_every_mutant() -> None:
    """docs/ledger.md says what is tried."""
    page = (ROOT / "docs/ledger.md").read_text(encoding="utf-8")

    assert [one.name for one in read_mutants() if f"| {one.name}" not in page] == []
