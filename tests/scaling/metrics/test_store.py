"""Metric store: datapoints, windows and series."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.alarms import FOREVER, IN_FLIGHT, VISIBLE, a_store, points

from tidemill.scaling.metrics.statistics import StatisticSet
from tidemill.scaling.metrics.store import Datapoint, MetricStore, aligned
from tidemill.scaling.spec import Metric, MetricStat

MINUTELY = MetricStat(VISIBLE, 60, "Sum")


@pytest.mark.parametrize(
    ("stat", "value"),
    [
        ("SampleCount", 3.0),
        ("Sum", 11.0),
        ("Average", pytest.approx(3.6667, abs=1e-4)),
        ("Minimum", 2.0),
        ("Maximum", 5.0),
    ],
)
def test_merged_samples_give_each_statistic(stat: str, value: float) -> None:
    """The example of CloudWatch's page on publishing metrics: 2, 4 and 5."""
    merged = StatisticSet.of(4.0).merge(StatisticSet.of(2.0)).merge(StatisticSet.of(5.0))
    assert merged.value(stat) == value


def test_what_overflows_has_no_datapoint() -> None:
    """A series never contains infinity."""
    store = MetricStore().record(points(VISIBLE, {0: 1e308}), FOREVER)
    store = store.record(points(VISIBLE, {0: 1e308, 60: 1}), FOREVER)
    assert store.series(MINUTELY, 120, 2) == (None, 1)


@pytest.mark.parametrize(
    ("end", "period", "expected"),
    [
        (359.9, 60, 300.0),
        (360.0, 60, 360.0),
        (419.0, 300, 360.0),
        (359.9, 10, 350.0),
        (359.9, 20, 350.0),
        (359.9, 30, 350.0),
    ],
)
def test_a_window_ends_at_a_whole_minute_or_ten_seconds(
    end: float, period: int, expected: float
) -> None:
    """A window moves with each evaluation, not by the length of its periods."""
    assert aligned(end, period) == expected


def test_a_period_without_datapoints_is_none() -> None:
    """The series is oldest first and has one place for each period."""
    store = a_store({60: 1, 180: 3})
    assert store.series(MINUTELY, 240, 4) == (None, 1, None, 3)


def test_datapoints_of_one_period_are_merged_before_the_statistic() -> None:
    """Five minutely averages of different weight are one five-minute average."""
    heavy = Datapoint(VISIBLE, 0, StatisticSet(9, 90, 10, 10))
    store = MetricStore().record([heavy, *points(VISIBLE, {240: 20})], FOREVER)
    assert store.series(MetricStat(VISIBLE, 300, "Average"), 300, 1) == (11,)


def test_a_five_minute_window_slides_by_the_minute() -> None:
    """At minute 5 it holds minutes 1 to 5, a minute later 2 to 6 ("Alarm evaluation")."""
    store = a_store({minute * 60: minute + 1 for minute in range(6)})
    stat = MetricStat(VISIBLE, 300, "Sum")
    assert store.series(stat, 300, 1) == (1 + 2 + 3 + 4 + 5,)
    assert store.series(stat, 360, 1) == (2 + 3 + 4 + 5 + 6,)


def test_the_oldest_datapoint_of_a_metric_is_known() -> None:
    """A metric without datapoints has infinity."""
    store = a_store({60: 1, 0: 2})
    assert (store.oldest(VISIBLE), store.oldest(IN_FLIGHT)) == (0, float("inf"))


def test_the_minute_that_is_not_over_is_left_out() -> None:
    """A datapoint of the current minute belongs to no full period yet."""
    store = a_store({0: 1, 60: 2})
    assert store.series(MINUTELY, 119, 1) == (1,)


def test_metrics_differ_by_their_dimensions() -> None:
    """An unknown metric has no datapoints and is no error."""
    assert a_store({0: 1}).series(MetricStat(IN_FLIGHT, 60, "Sum"), 60, 2) == (None, None)


def test_old_datapoints_are_dropped_from_every_metric() -> None:
    """Datapoints are dropped by their age before the newest timestamp of all metrics."""
    store = a_store({0: 1, 60: 2}).record(points(IN_FLIGHT, {160: 3}), keep_seconds=100)
    assert [point.timestamp for point in store.kept[VISIBLE]] == [60]


def test_recording_leaves_the_former_store_as_it_was() -> None:
    """A store is an immutable value."""
    before = a_store({0: 1})
    before.record(points(VISIBLE, {0: 5, 60: 2}), keep_seconds=10)
    assert before == a_store({0: 1})


@given(
    st.lists(
        st.tuples(
            st.sampled_from([VISIBLE, IN_FLIGHT]),
            st.integers(0, 60).map(lambda tens: tens * 10.0),
            st.floats(-1e6, 1e6),
        ),
        max_size=30,
    ),
    st.lists(st.integers(0, 30), max_size=4),
    st.integers(0, 700),
    st.sampled_from([10, 60, 120, 300]),
)
def test_a_series_does_not_depend_on_how_datapoints_arrived(
    arrived: list[tuple[Metric, float, float]],
    cuts: list[int],
    keep: int,
    period: int,
) -> None:
    """One call or several calls of `record` lead to the same series."""
    all_points = [Datapoint(m, at, StatisticSet.of(v)) for m, at, v in arrived]
    at_once = MetricStore().record(all_points, keep)
    bounds = [0, *sorted(cuts), len(all_points)]
    piecewise = MetricStore()
    for start, end in pairwise(bounds):
        piecewise = piecewise.record(all_points[start:end], keep)
    for metric in (VISIBLE, IN_FLIGHT):
        stat = MetricStat(metric, period, "Average")
        assert piecewise.series(stat, 660, 9) == at_once.series(stat, 660, 9)
