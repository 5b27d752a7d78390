"""A receive that is no attempt costs no good message with the template's MaxReceiveCount."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE

from tidemill.simulator.comparison.receives import CASES, HEAD, Case, count

PAGE = Path(__file__).parents[3] / "docs" / "simulator.md"
TEMPLATE = PRODUCT_TEMPLATE.read_text(encoding="utf-8")
DEFAULT = 3


@pytest.mark.parametrize(
    "case",
    CASES[:-1],
    ids=lambda case: f"{case.handler.mean:g}-{case.handler.variation:g}-{case.pause}",
)
def test_no_good_message_becomes_a_dead_letter(case: Case) -> None:
    """Neither a drain nor a Spot interruption makes a message fail three times."""
    found = count(case, TEMPLATE, DEFAULT, [1])
    assert (found.good_dead, found.all > 0) == (0, True)


def test_with_one_receive_they_would() -> None:
    """So the template allows no fewer than three."""
    (case,) = (case for case in CASES if case.handler.variation == 1)
    found = count(case, TEMPLATE, 1, [1])
    assert found.good_dead == found.returned + found.cut_off > 10


def test_the_page_has_a_row_for_each_case() -> None:
    """docs/simulator.md has the table that the module prints."""
    text = PAGE.read_text(encoding="utf-8")
    rows = text.split(f"| {' | '.join(HEAD)} |", 1)[1].split("\n\n")[0].splitlines()[2:]
    shown = [re.findall(r"[\d.]+", row)[:2] for row in rows]
    assert shown == [[f"{case.message_seconds}", f"{case.handler.mean:g}"] for case in CASES]
