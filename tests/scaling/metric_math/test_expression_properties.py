"""Properties of metric math that hold for expressions and series of every kind."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from tidemill.scaling.metric_math.expression import compile_expression

POINT = st.none() | st.floats(-1e6, 1e6)
POINTWISE = [
    "m1 + m2 * 2",
    "m1 / m2",
    "CEIL((m1 + m2) / 10)",
    "IF(m1 > m2, m1, m2)",
    "IF(m1, m2)",
    "m1 > 3 AND NOT m2",
    "MAX([m1, m2])",
    "AVG(METRICS())",
    "FILL(m1, 0) - FILL(m2, m1)",
    "ABS(m1) ^ 2",
]


@given(st.sampled_from(POINTWISE), st.lists(st.tuples(POINT, POINT), min_size=1, max_size=8))
def test_a_point_depends_on_the_points_of_its_own_timestamp_only(
    text: str, rows: list[tuple[float | None, float | None]]
) -> None:
    """Evaluating the timestamps one by one gives what evaluating them together gives."""
    expression = compile_expression(text)
    together = expression.evaluate(
        {"m1": tuple(one for one, _ in rows), "m2": tuple(two for _, two in rows)}
    )
    apart = [expression.evaluate({"m1": (one,), "m2": (two,)}) for one, two in rows]
    assert together == tuple(point for result in apart for point in result)  # type: ignore[union-attr]  # series, no numbers


@given(st.sampled_from([text for text in POINTWISE if "FILL" not in text]), st.integers(1, 5))
def test_where_every_series_is_missing_there_is_no_datapoint(text: str, length: int) -> None:
    """Only FILL gives datapoints where there are none."""
    nothing = (None,) * length
    assert compile_expression(text).evaluate({"m1": nothing, "m2": nothing}) == nothing


ATOMS = st.sampled_from(
    ["m1", "m2", "0", "3", "1e200", "SUM(m1)", "MAX(m2)", "DIFF(m2)", "MINUTE(m1)"]
)
OPERATORS = st.sampled_from(["+", "-", "*", "/", "^", "==", "<", "AND", "OR"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from(["+", "-", "*", "/", "^", "==", "<", "AND", "OR"]), inner
        ).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(["-", "NOT ", "CEIL", "LOG", "ABS", "LOG10"]), inner).map(
            lambda parts: f"({parts[0]}({parts[1]}))"
        ),
        st.tuples(inner, inner, inner).map(lambda parts: f"IF({', '.join(parts)})"),
    ),
    max_leaves=12,
)
ANY_POINT = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(EXPRESSIONS, st.lists(st.tuples(ANY_POINT, ANY_POINT), min_size=1, max_size=5))
def test_an_expression_gives_finite_points_or_none(
    text: str, rows: list[tuple[float | None, float | None]]
) -> None:
    """No series leads to an error, to infinity or to not-a-number."""
    first, second = tuple(one for one, _ in rows), tuple(two for _, two in rows)
    result = compile_expression(text).evaluate({"m1": first, "m2": second})
    points = result if isinstance(result, tuple) else (result,)
    assert all(point is None or math.isfinite(point) for point in points)
    if isinstance(result, tuple):
        assert len(result) == len(rows)


SERIES_ONLY = st.recursive(
    st.sampled_from(["m1", "m2"]),
    lambda inner: st.tuples(
        st.sampled_from(
            [
                "({0}) / ({1})",
                "({0}) ^ ({1})",
                "FIRST(SORT([{0}, {1}], AVG, DESC))",
                "LAST(SLICE([{0}, {1}], 1, 5))",
                "LAST(REMOVE_EMPTY([{0}, {1}]))",
                "SUM([{0}, {1}])",
                "STDDEV([{0}, {1}])",
                "DATAPOINT_COUNT([{0}, {1}])",
                "TIME_SERIES(STDDEV({0}))",
                "RATE({0})",
                "RUNNING_SUM({0})",
                "FILL({0}, LINEAR)",
                "FILL({0}, REPEAT)",
                "FILL({0}, {1})",
                "IF({0} > MAX({1}), {0}, {1})",
                "CEIL({0}) + DAY({1}) * PERIOD(m1)",
                "LOG10({0}) - AVG({1})",
            ]
        ),
        inner,
        inner,
    ).map(lambda parts: parts[0].format(*parts[1:])),
    max_leaves=8,
)


@given(SERIES_ONLY, st.lists(st.tuples(ANY_POINT, ANY_POINT), min_size=1, max_size=5))
def test_functions_give_a_finite_point_or_none_for_every_period(
    text: str, rows: list[tuple[float | None, float | None]]
) -> None:
    """This holds for every function of every other function's result."""
    first, second = tuple(one for one, _ in rows), tuple(two for _, two in rows)
    result = compile_expression(text).evaluate({"m1": first, "m2": second})
    assert isinstance(result, tuple)
    assert len(result) == len(rows)
    assert all(point is None or math.isfinite(point) for point in result)
