"""Tests of sets of line numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from producer.line_set import SHOWN, LineSet, ranges_of, ranges_text


@given(st.sets(st.integers(1, 60)), st.randoms(use_true_random=False))
def test_a_line_set_is_a_set(numbers: set[int], rng: object) -> None:
    """Whatever the order in which ranges are added, the set holds their numbers."""
    ranges = [*ranges_of(numbers)]
    getattr(rng, "shuffle")(ranges)  # noqa: B009 - hypothesis types it as an object
    lines = LineSet()
    for first, last in ranges:
        middle = (first + last) // 2
        lines.add(first, middle)
        assert first in lines
        if last > middle:
            lines.add(middle + 1, last)

    assert {number for number in range(70) if number in lines} == numbers
    assert len(lines) == len(numbers)
    assert lines.ranges() == [*ranges_of(numbers)]


def test_numbers_for_people_are_ranges() -> None:
    """A single number stands alone, and of many ranges only the first are named."""
    assert ranges_text([]) == ""
    assert ranges_text([7, 1, 2, 3]) == "1-3, 7"
    assert ranges_text(range(1, 100, 2)).endswith(f"15, and {50 - SHOWN} more ranges")
