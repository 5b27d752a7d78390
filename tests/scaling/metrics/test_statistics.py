"""Statistics of CloudWatch by name."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemill.scaling.metrics.statistics import (
    StatisticError,
    StatisticSet,
    percentile_of,
    samples_needed,
    statistic,
)

TEN = [StatisticSet.of(float(value)) for value in range(10, 110, 10)]  # 10, 20 ... 100


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SampleCount", 10),
        ("Sum", 550),
        ("Average", 55),
        ("Minimum", 10),
        ("Maximum", 100),
        ("p0", 10),
        ("p0.0", 10),
        ("p10", 10),
        ("p10.1", 20),
        ("p50", 50),
        ("p90", 90),
        ("p99", 100),
        ("p100", 100),
        ("tm90", 50),
        ("TM(10%:90%)", 55),
        ("TM(:90%)", 50),
        ("TM(80%:)", 95),
        ("TM(20:50)", 40),
        ("TM(:0.5)", None),
        ("tc90", 9),
        ("tc95", 9.5),
        ("TC(20:50)", 3),
        ("TC(200:)", 0),
        ("ts90", 450),
        ("TS(80%:)", 190),
        ("TS(200:300)", 0),
        ("wm90", 54),
        ("WM(10%:90%)", 55),
        ("WM(20:50)", 41),
        ("IQM", 55),
        ("PR(:30)", 30),
        ("PR(30:60)", 30),
        ("PR(100:)", 0),
    ],
)
def test_a_statistic_is_taken_of_the_samples(name: str, expected: float | None) -> None:
    """Of a range of values, the lower bound is exclusive and the upper one inclusive."""
    assert statistic(name).of_many(TEN) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    "name",
    [
        *("", "average", "P99", "p", "p101", "p-1", "p1.12345678901", "p99 "),
        *("tm", "TM90", "tm101", "tm(10%:90%)", "pr90", "iqm"),
        *("TM(:)", "TM(90%:10%)", "TM(10%:90)", "PR(10%:90%)", "TM(5:5)"),
    ],
)
def test_any_other_name_is_refused(name: str) -> None:
    """The error lists the statistics."""
    with pytest.raises(StatisticError, match="statistic"):
        statistic(name)


def test_a_statistic_set_of_equal_samples_has_percentiles() -> None:
    """Equal minimum and maximum are the first of the page's conditions."""
    sets = [StatisticSet(9, 9 * 5.0, 5, 5), StatisticSet.of(7)]
    assert [statistic(name).of_many(sets) for name in ("p90", "p91", "tc50")] == [5, 7, 5]


@pytest.mark.parametrize(
    "other",
    [StatisticSet(2, 3, 1, 2), StatisticSet.of(-1)],
    ids=["set of different samples", "negative"],
)
def test_what_cloudwatch_has_no_samples_for_has_no_percentile(other: StatisticSet) -> None:
    """CloudWatch needs raw data points; negative values have no such statistics at all."""
    assert statistic("p50").of_many([StatisticSet.of(1), other]) is None
    assert statistic("TM(10%:90%)").of_many([StatisticSet.of(1), other]) is None
    assert statistic("WM(0:1)").of_many([StatisticSet.of(1), other]) is None
    assert statistic("Sum").of_many([StatisticSet.of(1), other]) is not None


@pytest.mark.parametrize(
    ("percentile", "expected"), [(99, 1000), (50, 20), (90, 100), (10, 100), (25, 40)]
)
def test_a_percentile_needs_samples_to_be_significant(percentile: float, expected: float) -> None:
    """1000 for p99 is the example of "Percentile-based alarms and low data samples"."""
    assert samples_needed(percentile) == pytest.approx(expected)


def test_no_number_of_samples_is_enough_for_the_extremes() -> None:
    """The page's intervals leave 0 and 100 out."""
    assert samples_needed(0) == samples_needed(100) == math.inf


@pytest.mark.parametrize(("name", "expected"), [("p99.9", 99.9), ("tm99", None), ("Sum", None)])
def test_only_a_percentile_has_a_percentile(name: str, expected: float | None) -> None:
    """A trimmed mean has no percentile."""
    assert percentile_of(name) == expected


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=30),
    st.integers(1, 99),
)
def test_a_trimmed_sum_is_trimmed_mean_times_trimmed_count(samples: list[int], at: int) -> None:
    """The page says so; the percentile is the largest of the remaining samples."""
    sets = [StatisticSet.of(sample) for sample in samples]
    mean, count, total, percentile, average, winsorized = (
        statistic(f"{kind}{at}").of_many(sets) if kind else statistic("Average").of_many(sets)
        for kind in ("tm", "tc", "ts", "p", "", "wm")
    )
    assert None not in (mean, count, total, percentile, average, winsorized)
    assert total == pytest.approx(mean * count)  # type: ignore[operator]  # none is None, as asserted above
    assert mean <= average * (1 + 1e-9)  # type: ignore[operator]  # none is None, as asserted above
    assert mean <= percentile * (1 + 1e-9)  # type: ignore[operator]  # none is None, as asserted above
    assert winsorized <= average * (1 + 1e-9)  # type: ignore[operator]  # none is None, as asserted above
