"""Operators of metric math: the fast way against the slow one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemill.scaling.metric_math.operators import SIGNS, combine
from tidemill.scaling.metric_math.values import ExpressionError, Frame, Kind, Node, Number

SIGNS_OF_TWO = ["+", "-", "*", "/", "^", "==", "!=", "<", "<=", ">", ">=", "AND", "OR"]
FINITE = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 5).map(float)
LEFT, RIGHT = (
    Node(Kind.SERIES, lambda frame: frame.values[0]),
    Node(Kind.SERIES, lambda frame: frame.values[1]),
)
NUMBERS = (
    Node(Kind.NUMBER, lambda frame: frame.values[0]),
    Node(Kind.NUMBER, lambda frame: frame.values[1]),
)


def frame(*values: object, length: int = 0) -> Frame:
    """Return a frame of these values."""
    return Frame(0.0, 60, length, list(values))


def one_by_one(sign: str, left: Number, right: Number) -> Number:
    """Return an operator's result on two points by the rule, a missing one being 0."""
    if left is None and right is None:
        return None
    node = combine(sign, *NUMBERS)
    result: Number = node.run(frame(left or 0.0, right or 0.0))
    return result


@given(
    st.sampled_from(SIGNS_OF_TWO),
    st.lists(st.tuples(st.none() | FINITE, st.none() | FINITE), min_size=1, max_size=6),
)
def test_two_series_give_what_their_points_give(
    sign: str, rows: list[tuple[Number, Number]]
) -> None:
    """Combining all points at once is the same as combining them one by one."""
    left, right = tuple(one for one, _ in rows), tuple(two for _, two in rows)
    result = combine(sign, LEFT, RIGHT).run(frame(left, right, length=len(rows)))
    assert result == tuple(one_by_one(sign, *row) for row in rows)
    assert all(point is None or math.isfinite(point) for point in result)


@given(st.sampled_from(SIGNS_OF_TWO), FINITE, st.lists(st.none() | FINITE, min_size=1, max_size=6))
def test_a_number_is_combined_with_each_point_there_is(
    sign: str, number: float, points: list[Number]
) -> None:
    """The number may be on either side; a missing point stays missing."""
    series, length = tuple(points), len(points)
    before = combine(sign, NUMBERS[0], RIGHT).run(frame(number, series, length=length))
    after = combine(sign, LEFT, NUMBERS[1]).run(frame(series, number, length=length))
    assert before == tuple(
        None if point is None else one_by_one(sign, number, point) for point in series
    )
    assert after == tuple(
        None if point is None else one_by_one(sign, point, number) for point in series
    )


@pytest.mark.parametrize("sign", SIGNS_OF_TWO)
def test_a_number_without_a_value_gives_none(sign: str) -> None:
    """A number without a value makes none of another number, and of a series."""
    assert combine(sign, *NUMBERS).run(frame(None, 1.0)) is None
    assert combine(sign, LEFT, NUMBERS[1]).run(frame((1.0, 2.0), None, length=2)) == (None, None)


@pytest.mark.parametrize("sign", ["==", "!=", "<", "<=", ">", ">=", "AND", "OR"])
def test_truth_is_one_or_zero(sign: str) -> None:
    """Results of comparisons are numbers, not Python's True and False."""
    result = combine(sign, LEFT, RIGHT).run(frame((1.0, 2.0), (2.0, None), length=2))
    assert {type(point) for point in result} == {float}


def test_an_array_is_combined_with_arithmetic_only() -> None:
    """Comparison and logic take "a pair of time series or a pair of single scalar values"."""
    array = Node(Kind.ARRAY, lambda frame: [frame.values[0], frame.values[1]], size=2)
    values = frame((1.0, None), (5.0, 4.0), length=2)
    assert combine("+", array, RIGHT).run(values) == [(6.0, 4.0), (10.0, 8.0)]
    assert combine("-", LEFT, array).run(values) == [(0.0, None), (-4.0, -4.0)]
    assert SIGNS["-"](array).run(values) == [(-1.0, None), (-5.0, -4.0)]
    for sign in ("<", "AND"):
        with pytest.raises(ExpressionError, match="compares series and numbers"):
            combine(sign, array, RIGHT)
