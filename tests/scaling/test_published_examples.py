"""The scaling core against the examples that AWS publishes, whatever their ids.

A vector is run by the first shape that fits its input and what is expected of it. One with an
input that no shape knows in full is not run, and counted in the summary of the test run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.examples.alarms import ALARM_SHAPES
from support.examples.groups import GROUP_SHAPES
from support.examples.limits import LIMIT_SHAPES
from support.examples.math import MATH_SHAPES

if TYPE_CHECKING:
    from support.examples.shape import Expected, Given, Shape

SHAPES = (*ALARM_SHAPES, *MATH_SHAPES, *GROUP_SHAPES, *LIMIT_SHAPES)


def test_a_published_example_holds(example: tuple[Shape, Given, Expected]) -> None:
    """The core gives the results that AWS publishes."""
    shape, given, expected = example
    shape.check(given, expected)


@pytest.mark.parametrize("name", ["cw_alarm_missing_data", "cw_metric_math_and_statistics"])
def test_every_example_of_these_files_has_a_shape(name: str) -> None:
    """Every example of alarm states and metric math is run."""
    file = Path(__file__).parent / "vectors" / f"{name}.json"
    vectors = json.loads(file.read_text(encoding="utf-8"))["vectors"]
    unfit = [
        vector["id"]
        for vector in vectors
        if not any(shape.fits(vector["input"], vector["expected"]) for shape in SHAPES)
    ]
    assert unfit == []
