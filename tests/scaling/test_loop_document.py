"""docs/loop.md against the core: its diagram, and its counts of published examples."""

from __future__ import annotations

import json
import re
from pathlib import Path

from support.examples.alarms import ALARM_SHAPES
from support.examples.groups import GROUP_SHAPES
from support.examples.limits import LIMIT_SHAPES
from support.examples.math import MATH_SHAPES

from tidemill.scaling.group.lifecycle import diagram

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/loop.md").read_text(encoding="utf-8")
SHAPES = (*ALARM_SHAPES, *MATH_SHAPES, *GROUP_SHAPES, *LIMIT_SHAPES)


def test_the_diagram_is_that_of_the_table_of_transitions() -> None:
    """`tidemill.scaling.group.lifecycle.diagram()` prints the diagram of the page."""
    (drawn,) = re.findall(r"```mermaid\n(.*?)```", DOCUMENT, re.DOTALL)
    assert drawn == diagram()


def test_the_table_counts_the_published_examples() -> None:
    """For each file: how many examples run, how many do not, and why."""
    listed = {
        name: (int(run), int(not_run), bool(why.strip()))
        for name, run, not_run, why in re.findall(
            r"^\| (\w+\.json) \| (\d+) \| (\d+) \|(.*)\|$", DOCUMENT, re.MULTILINE
        )
    }
    counted = {}
    for file in (ROOT / "tests/scaling/vectors").glob("*.json"):
        vectors = json.loads(file.read_text(encoding="utf-8"))["vectors"]
        fit = sum(
            any(shape.fits(vector["input"], vector["expected"]) for shape in SHAPES)
            for vector in vectors
        )
        counted[file.name] = (fit, len(vectors) - fit, fit < len(vectors))
    assert listed == counted
