"""docs/loop.md against the core: its diagram, and its counts of published examples."""

from __future__ import annotations

import re
from pathlib import Path

from support.examples import vectors

from tidemill.scaling.group.lifecycle import diagram
from tidemill.scaling.policies.tracking import high_datapoints, low_datapoints
from tidemill.scaling.template.tracking import PERIODS

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/loop.md").read_text(encoding="utf-8")


def test_the_diagram_is_that_of_the_table_of_transitions() -> None:
    """`tidemill.scaling.group.lifecycle.diagram()` prints the diagram of the page."""
    (drawn,) = re.findall(r"```mermaid\n(.*?)```", DOCUMENT, re.DOTALL)
    assert drawn == diagram()


def test_the_table_of_published_examples_is_that_of_a_run() -> None:
    """`support.examples.vectors.table` prints the table of the page."""
    assert vectors.table(vectors.tallies(vectors.OWN)) in DOCUMENT


def test_the_table_of_target_tracking_has_the_cores_numbers() -> None:
    """Periods, and how many datapoints lead out and in."""
    rows = re.findall(r"^\| (\d+) s \| (\d+) of \2 .*?\| (\d+) of \3 ", DOCUMENT, re.MULTILINE)
    listed = {int(period): (int(out), int(back)) for period, out, back in rows}
    assert listed == {one: (high_datapoints(one), low_datapoints(one)) for one in PERIODS}
