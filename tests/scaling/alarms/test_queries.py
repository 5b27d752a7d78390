"""Queries of an alarm, compiled together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.alarms import (
    FOREVER,
    IN_FLIGHT,
    a_store,
    an_alarm,
    an_expression_alarm,
    points,
)

from tidemill.scaling.alarms.queries import check_queries, compile_queries
from tidemill.scaling.metric_math.values import ExpressionError
from tidemill.scaling.metrics.statistics import StatisticError
from tidemill.scaling.spec import Alarm, MetricQuery, MetricStat

if TYPE_CHECKING:
    from tidemill.scaling.metrics.store import Series

STORE = a_store({0: 3, 60: 4}).record(points(IN_FLIGHT, {60: 10}), FOREVER)


def run(alarm: Alarm) -> Series:
    """Return what the alarm's queries make of two minutes."""
    return compile_queries(alarm.queries, alarm.returned).run(STORE, 120, 60, 2)


def fetched(alarm: Alarm) -> list[str]:
    """Return the ids of the metrics that an evaluation looks up."""
    program = compile_queries(alarm.queries, alarm.returned)
    return [query.id for _, query in program.fetched]


def test_metrics_alone_need_no_computing() -> None:
    """The alarm's series is the series of its metric."""
    alarm = an_alarm()
    assert run(alarm) == (3, 4)
    assert compile_queries(alarm.queries, alarm.returned).computed == ()


def test_only_what_the_watched_expression_needs_is_looked_up() -> None:
    """A metric is needed directly, through another expression, or by METRICS()."""
    assert fetched(an_expression_alarm(("e1", "visible * 2"))) == ["visible"]
    assert fetched(an_expression_alarm(("e1", "in_flight + 1"), ("e2", "e1 * 2"))) == ["in_flight"]
    assert fetched(an_expression_alarm(("e1", "SUM(METRICS())"))) == ["visible", "in_flight"]
    assert fetched(an_expression_alarm(("e1", 'SUM(METRICS("light"))'))) == ["in_flight"]


def test_an_expression_that_several_refer_to_is_computed_once() -> None:
    """It is computed before the expressions that need it."""
    alarm = an_expression_alarm(("e1", "visible + in_flight"), ("e2", "e1 * e1"), ("e3", "e1 + e2"))
    assert run(alarm) == (12, 210)
    assert len(compile_queries(alarm.queries, "e3").computed) == 3


def test_expressions_hand_on_numbers_and_arrays_as_well() -> None:
    """Only the query that the alarm watches has to be a series."""
    alarm = an_expression_alarm(("all", "METRICS()"), ("most", "MAX(visible)"), ("e", "all / most"))
    with pytest.raises(ExpressionError, match="an array of 2 series"):
        run(alarm)
    assert run(an_expression_alarm(("most", "MAX(visible)"), ("e", "visible / most"))) == (0.75, 1)
    assert run(an_expression_alarm(("all", "METRICS()"), ("e", "LAST(all)"))) == (None, 10)
    assert run(an_expression_alarm(("e", 'METRICS("light")'))) == (None, 10)


def test_a_period_is_that_of_metrics_only() -> None:
    """PERIOD of an expression's result is refused, even if a metric has the same name."""
    assert run(an_expression_alarm(("e", "visible / PERIOD(visible)"))) == (0.05, 4 / 60)
    with pytest.raises(ExpressionError, match="PERIOD takes the id of a metric"):
        run(an_expression_alarm(("e", "visible + 0"), ("f", "e / PERIOD(e)")))


def test_all_queries_are_checked() -> None:
    """Queries that no other query uses are checked, and all statistics."""
    good = an_alarm().queries
    check_queries(good)
    for bad, error in (
        (MetricQuery("e", expression="visible ++ 1"), ExpressionError),
        (MetricQuery("e", expression="e + visible"), ExpressionError),
        (MetricQuery("m", MetricStat(IN_FLIGHT, 60, "Mean")), StatisticError),
    ):
        with pytest.raises(error):
            check_queries((*good, bad))
