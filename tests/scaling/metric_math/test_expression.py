"""Metric math expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tidemill.scaling.metric_math.expression import compile_expression
from tidemill.scaling.metric_math.values import ExpressionError

if TYPE_CHECKING:
    from tidemill.scaling.metrics.store import Series

NONE = None
SERIES: dict[str, Series] = {
    "m1": (30.0, 20.0, 0.0, 0.0),
    "m2": (20.0, NONE, 20.0, NONE),
    "gap": (NONE, 1.0, NONE, 4.0),
    "empty": (NONE, NONE, NONE, NONE),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # arithmetic: a missing point is 0 beside a present one
        ("m1 + m2", (50, 20, 20, 0)),
        ("m2 - m1", (-10, -20, 20, 0)),
        ("m2 + gap", (20, 1, 20, 4)),
        ("m2 + empty", (20, NONE, 20, NONE)),
        ("2 * m2", (40, NONE, 40, NONE)),
        ("100 / m1", (pytest.approx(3.333, abs=1e-3), 5, NONE, NONE)),
        ("m1 / m2", (1.5, NONE, 0, NONE)),
        ("m1 / empty", (NONE, NONE, NONE, NONE)),
        ("m1 ^ 2", (900, 400, 0, 0)),
        ("m1 ^ -1", (pytest.approx(1 / 30), 0.05, NONE, NONE)),
        ("(-m1) ^ 0.5", (NONE, NONE, 0, 0)),
        ("-m2", (-20, NONE, -20, NONE)),
        ("m1 + 1 / 0", (NONE, NONE, NONE, NONE)),
        # comparisons and logic
        ("m1 < m2", (0, 0, 1, 0)),
        ("m1 >= 30", (1, 0, 0, 0)),
        ("m1 == gap", (0, 0, 1, 0)),
        ("m2 != 20", (0, NONE, 0, NONE)),
        ("m1 > 15 AND m2 > 15", (1, 0, 0, 0)),
        ("m1 > 15 && m2 > 15", (1, 0, 0, 0)),
        ("m1 > 15 OR m2 > 15", (1, 1, 1, 0)),
        ("m1 > 15 || m2 > 15", (1, 1, 1, 0)),
        ("NOT m2", (0, NONE, 0, NONE)),
        # functions
        ("CEIL(m1 / 7)", (5, 3, 0, 0)),
        ("FLOOR(m1 / 7)", (4, 2, 0, 0)),
        ("ABS(m2 - m1)", (10, 20, 20, 0)),
        ("SUM([m1, m2])", (50, 20, 20, 0)),
        ("AVG([m2, gap])", (10, 0.5, 10, 2)),
        ("MIN([m1, m2])", (20, 20, 0, 0)),
        ("MAX([gap, m2, empty])", (20, 1, 20, 4)),
        ("m1 - MIN(m1)", (30, 20, 0, 0)),
        ("m1 * 0 + AVG(m2)", (10, 10, 10, 10)),
        ("m1 + SUM(empty)", (30, 20, 0, 0)),
        ('SUM(METRICS("m"))', (50, 20, 20, 0)),
        ("SUM(METRICS())", (50, 21, 20, 4)),
        ("SUM(100 / [m1, m2])", (pytest.approx(8.333, abs=1e-3), 5, 5, NONE)),
        ("MAX(-METRICS('m'))", (-20, -20, 0, 0)),
        # gaps
        ("FILL(gap, 7)", (7, 1, 7, 4)),
        ("FILL(m2, MAX(m1))", (20, 30, 20, 30)),
        ("FILL(gap, REPEAT)", (NONE, 1, 1, 4)),
        ("FILL(gap, LINEAR)", (NONE, 1, 2.5, 4)),
        ("FILL(m2, LINEAR)", (20, 20, 20, NONE)),
        ("FILL(m2, gap)", (20, 1, 20, 4)),
        ("FILL(gap, m2)", (20, 1, 20, 4)),
        ("SUM(FILL([gap, m2], 0))", (20, 1, 20, 4)),
        # conditions
        ("IF(m1, m2, gap)", (20, 0, 0, 4)),
        ("IF(m1, 5, gap)", (5, 5, NONE, 4)),
        ("IF(m1, gap, 5)", (0, 1, 5, 5)),
        ("IF(m1 > 25, m2, gap)", (20, 1, 0, 4)),
        ("IF(m1 > 25, 5, gap)", (5, 1, NONE, 4)),
        ("IF(m1, 5, MAX(empty))", (5, 5, NONE, NONE)),
        ("IF(m1 > 25, 1, 2)", (1, 2, 2, 2)),
        ("IF(m2, 5, 6)", (5, NONE, 5, NONE)),
        ("IF(m1, 5)", (5, 5, NONE, NONE)),
        ("IF(-m1, m1)", (30, 20, NONE, NONE)),
        ("IF(1, m2, m1)", (20, NONE, 20, NONE)),
        ("IF(0, m2)", (NONE, NONE, NONE, NONE)),
        ("IF(m1 > 25, gap)", (0, NONE, NONE, NONE)),
        ("IF(MAX(empty), m1, m2)", (NONE, NONE, NONE, NONE)),
        ("IF(1, 5, m1)", (5, 5, 5, 5)),
        # along the series
        ("DIFF(m1)", (NONE, -10, -20, 0)),
        ("DIFF(gap)", (NONE, NONE, NONE, 3)),
        ("DIFF_TIME(gap)", (NONE, NONE, NONE, 120)),
        ("RATE(gap) * 120", (NONE, NONE, NONE, 3)),
        ("SUM(DIFF([m1, gap]))", (NONE, -10, -20, 3)),
        ("RUNNING_SUM(m1)", (30, 50, 50, 50)),
        ("RUNNING_SUM(m2)", (20, NONE, 40, NONE)),
        ("TIME_SERIES(5 * AVG(m2))", (50, 50, 50, 50)),
        ("TIME_SERIES(MAX(empty))", (NONE, NONE, NONE, NONE)),
        ("EPOCH(empty)", (0, 60, 120, 180)),
        ("MINUTE(empty)", (0, 1, 2, 3)),
        # numbers made of a series
        ("m1 / PERIOD(m1)", (0.5, pytest.approx(1 / 3), 0, 0)),
        ("m1 - STDDEV(gap)", (28.5, 18.5, -1.5, -1.5)),
        ("SUM(m2) / DATAPOINT_COUNT(m2) + m1 * 0", (20, 20, 20, 20)),
        ("m1 / METRIC_COUNT([m1, m2])", (15, 10, 0, 0)),
        ("m1 + MAX(empty)", (NONE, NONE, NONE, NONE)),
        # arrays
        ("STDDEV([m1, m2])", (5, 0, 10, 0)),
        ("DATAPOINT_COUNT([m2, gap])", (1, 1, 1, 1)),
        ("FIRST(METRICS())", (30, 20, 0, 0)),
        ("LAST([m1, gap])", (NONE, 1, NONE, 4)),
        ("LAST(REMOVE_EMPTY([m1, empty]))", (30, 20, 0, 0)),
        ("LAST(REMOVE_EMPTY([empty]))", (NONE, NONE, NONE, NONE)),
        ("MAX(REMOVE_EMPTY([empty]))", (NONE, NONE, NONE, NONE)),
        ("REMOVE_EMPTY([gap])", (NONE, 1, NONE, 4)),
        ("FIRST(SORT(METRICS(), SUM, ASC))", (NONE, 1, NONE, 4)),
        ("FIRST(SORT(METRICS(), AVG, DESC))", (30, 20, 0, 0)),
        ("LAST(SORT([empty, m1, gap], MAX, DESC))", (NONE, NONE, NONE, NONE)),
        ("SORT(METRICS(), MIN, DESC, 1)", (20, NONE, 20, NONE)),
        ("SLICE(METRICS(), 1, 2)", (20, NONE, 20, NONE)),
        ("SLICE([m1, m2], 1)", (20, NONE, 20, NONE)),
        ("SLICE([m1, m2], 1, 2) + m1", (50, 20, 20, 0)),
        ("SUM(SLICE([m1, m2], 5))", (NONE, NONE, NONE, NONE)),
        ("SUM([METRICS('m1'), METRICS('m2')])", (50, 20, 20, 0)),
        ("MIN(ABS(-[m1, m2]))", (20, 20, 0, 0)),
        # logarithms
        ("LOG10(m1 * 10 / 3)", (2, pytest.approx(1.8239, abs=1e-4), NONE, NONE)),
        ("LOG(m2 / 20)", (0, NONE, 0, NONE)),
        # precedence
        ("m1 + m1 * 2", (90, 60, 0, 0)),
        ("(m1 + m1) * 2", (120, 80, 0, 0)),
        ("m1 - 10 - 5", (15, 5, -15, -15)),
        ("m1 * 0 + 2 ^ 3 ^ 2", (512, 512, 512, 512)),
        ("-m1 ^ 2", (-900, -400, 0, 0)),
        ("m1 > 25 OR m1 > 15 AND m1 > 99", (1, 0, 0, 0)),
        ("m1 + 1.5e1 + .5", (45.5, 35.5, 15.5, 15.5)),
    ],
    ids=str,
)
def test_an_expression_gives_its_series(text: str, expected: Series) -> None:
    """The rules of CloudWatch's page on metric math, one line each."""
    assert compile_expression(text).evaluate(SERIES) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 * 3 > 5", 1),
        ("SUM(m1)", 50),
        ("AVG(m2)", 10),
        ("MIN(gap)", 1),
        ("MAX(gap)", 4),
        ("STDDEV(gap)", 1.5),
        ("DATAPOINT_COUNT(gap)", 2),
        ("DATAPOINT_COUNT(empty)", 0),
        ("SUM(empty)", 0),
        ("AVG(empty)", 0),
        ("MAX(empty)", NONE),
        ("METRIC_COUNT(METRICS())", 4),
        ("METRIC_COUNT(REMOVE_EMPTY(METRICS()))", 3),
        ("PERIOD(m1)", 60),
        ("IF(0, 1)", NONE),
        ("IF(MAX(empty), 1, 2)", NONE),
        ("1 / 0", NONE),
        ("1 / 0 + 1", NONE),
        ("10 ^ 400", NONE),
        ("LOG10(1000)", 3),
    ],
    ids=str,
)
def test_an_expression_over_no_series_or_one_reduced_gives_a_number(
    text: str, expected: float
) -> None:
    """AVG counts the missing points of a series as 0, the other reductions leave them out."""
    assert compile_expression(text).evaluate(SERIES) == expected


def test_the_result_of_another_expression_is_read_but_is_no_metric() -> None:
    """METRICS() leaves expressions out."""
    expression = compile_expression("SUM(METRICS()) + half")
    assert expression.evaluate({"m1": (1.0, 2.0)}, {"half": (0.5, NONE)}) == (1.5, 2.0)


def test_the_names_of_an_expression_are_the_ids_it_reads() -> None:
    """Functions, words and strings are not ids."""
    expression = compile_expression('IF(m1 > 0, FILL(m2, REPEAT), SUM(METRICS("m3")))')
    assert expression.names == {"m1", "m2"}


def test_a_text_is_compiled_once() -> None:
    """Every evaluation of an alarm needs its expression, so the result is cached."""
    assert compile_expression("m1 + 1") is compile_expression("m1 + 1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FOO(m1)", 'unknown function FOO at column 1 of "FOO(m1)"'),
        ("1 + ceil(m1)", "unknown function ceil (functions are written in capitals: CEIL) at"),
        ("SEARCH(...)", "SEARCH cannot be used (CloudWatch allows no alarm on it"),
        ("m1 + LAMBDA(m1)", "LAMBDA cannot be used (its data does not come from"),
        ("SELECT MAX(x) FROM y", "a Metrics Insights query is not modelled: give the alarm"),
        ("SORT(METRICS(), STDDEV, ASC)", "unexpected STDDEV at column 17"),
        ("SORT(METRICS(), m1, ASC)", "SORT takes AVG or MIN or MAX or SUM here at column 1"),
        ("m1 * 1e999", "the number 1e999 is too large at column 6"),
        ("-" * 300 + "m1", "more than 200 levels of nesting"),
        ("metrics()", "unknown function metrics (functions are written in capitals: METRICS)"),
        ("m1 +", 'unexpected end at column 5 of "m1 +"'),
        ("m1 ) 2", "unexpected ')' at column 4"),
        ("m1 @ 2", "unexpected '@' at column 4"),
        ("m1\n ) 2", "unexpected ')' at column 5 of \"m1  ) 2\""),
        ("", "unexpected end at column 1"),
        ("m1 ANDm2", "unexpected 'A' at column 4"),
        ("m1 + NOT (m1)", "unexpected NOT at column 6"),
        ("REPEAT", "unexpected REPEAT at column 1"),
        ("FILL(m1, FLAT)", "unexpected FLAT at column 10"),
        ("'m1'", "unexpected 'm1' at column 1"),
        ("MAX(m1, m2)", "MAX has 2 arguments, but takes 1 (several series make one"),
        ("IF(m1)", "IF has 1 arguments, but takes 2 or 3, at column 1"),
        ("METRICS(m1)", "METRICS takes one string at column 1"),
    ],
    ids=str,
)
def test_a_text_that_is_no_metric_math_is_refused(text: str, message: str) -> None:
    """The error is one line that says what is wrong and at which column."""
    with pytest.raises(ExpressionError) as error:
        compile_expression(text)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("m1 + m9", 'unknown id "m9" in "m1 + m9"'),
        ("METRICS() * 2", "an array of 4 series, but an alarm watches one"),
        ("METRICS() / METRICS()", "an operator cannot combine two arrays of series"),
        ("METRICS('zz')", 'METRICS("zz") matches no metric'),
        ("[m1, 5]", "an array holds series, not numbers"),
        ("SUM(5)", "SUM takes a series or an array of series, not a number"),
        ("FILL(5, 1)", "FILL takes a series or an array of series as argument 1, not a number"),
        ("FILL(m1, [m1, m2])", "FILL takes a number or a series or REPEAT or LINEAR as argument 2"),
        ("IF(METRICS(), 1)", "IF takes a number or a series as argument 1, not an array"),
        ("METRICS() > 5", "> compares series and numbers, not an array of series in"),
        ("TIME_SERIES(m1)", "TIME_SERIES takes a number, not a series in"),
        ("m1 * PERIOD(m1 + 1)", "PERIOD takes the id of a metric, not the result of an expression"),
        ("m1 / METRIC_COUNT(m1)", "METRIC_COUNT takes an array of series, not a series"),
        ("FIRST(m1)", "FIRST takes an array of series, not a series"),
        ("SLICE(METRICS(), 1)", "an array of 3 series, but an alarm watches one"),
        ("SORT(METRICS(), SUM, ASC, 2)", "an array of 2 series, but an alarm watches one"),
    ],
    ids=str,
)
def test_arguments_of_the_wrong_kind_are_refused(text: str, message: str) -> None:
    """Whether a name is a series is known when the expression is evaluated."""
    with pytest.raises(ExpressionError) as error:
        compile_expression(text).evaluate(SERIES)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MINUTE(m1)", (58, 59, 0)),
        ("HOUR(m1)", (23, 23, 0)),
        ("DAY(m1)", (6, 6, 7)),
        ("DATE(m1)", (29, 29, 1)),
        ("MONTH(m1)", (2, 2, 3)),
        ("YEAR(m1)", (2020, 2020, 2020)),
        ("IF(DAY(m1) < 7, m1)", (1, 0, None)),
    ],
    ids=str,
)
def test_functions_of_time_go_by_the_period_in_utc(text: str, expected: Series) -> None:
    """The first period is Saturday, 29 February 2020, 23:58; missing points have a time, too."""
    start = 1_583_020_680.0
    assert compile_expression(text).evaluate({"m1": (1, None, 3)}, start=start) == expected
