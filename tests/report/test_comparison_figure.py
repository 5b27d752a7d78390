"""The picture of a comparison."""

from __future__ import annotations

from tidemill.report.comparison_figure import COLOURS, MARKS


def test_no_two_of_many_policies_look_alike() -> None:
    """Colours and forms repeat, but not at the same number."""
    looks = {(COLOURS[one % len(COLOURS)], MARKS[one % len(MARKS)]) for one in range(20)}
    assert len(looks) == 20
