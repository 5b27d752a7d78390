"""The template's policy under faults of metrics and alarms, and the table of it in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidemill.scaling.fault_kinds import KINDS, Target
from tidemill.simulator.comparison.metric_faults import CASES, HEAD, Case, policies, row

ROOT = Path(__file__).parents[3]


def documented() -> list[tuple[str, ...]]:
    """Return the rows of the table in docs/simulator.md."""
    page = (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    table = page[page.index(f"| {' | '.join(HEAD)} |") :].partition("\n\n")[0]
    return [tuple(line.strip("| ").split(" | ")) for line in table.splitlines()[2:]]


def test_every_kind_of_fault_of_metrics_and_alarms_is_a_case() -> None:
    """Each lasts all day, or four hours of it."""
    kinds = {fault.kind for case in CASES for fault in case.faults}
    concerned = {Target.METRIC, Target.ALARM}
    assert kinds == {kind.name for kind in KINDS.values() if kind.target in concerned}


def test_the_docs_have_a_row_for_every_fault_and_policy() -> None:
    """The rows are in the order in which the module prints them."""
    names = [(case.words, candidate.name) for case in CASES for candidate in policies()]
    assert [line[:2] for line in documented()] == names


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.words)
def test_the_docs_have_the_template_s_figures(case: Case) -> None:
    """`python -m tidemill.simulator.comparison.metric_faults` prints the table anew."""
    ours = policies()[0]
    assert row(ours, case) in documented()
