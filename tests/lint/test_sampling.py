"""Sampling: situations on both sides of every number that alarms compare with."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.alarms import IN_FLIGHT, VISIBLE, actions_on, an_alarm, an_expression_alarm
from support.builders.fleets import a_fleet, a_group, a_policy, product_fleet

from tidemill.lint.sampling import MOST, samples, situations
from tidemill.scaling.spec import Comparison, Fleet, Metric, MetricQuery, MetricStat, StepAdjustment

OUT = a_policy()
BACK = a_policy(logical_id="InPolicy", steps=(StepAdjustment(None, None, -1),))
ONCE = {"evaluation_periods": 1, "datapoints_to_alarm": 1}
THRESHOLDS = st.integers(min_value=0, max_value=500)


def fleet_of(*comparisons: tuple[Comparison, float]) -> Fleet:
    """Return a fleet that scales out by its first alarm, and in by its second one."""
    actions = [("OutPolicy",), ("InPolicy",)]
    alarms = [
        an_alarm(logical_id=action[0], comparison=one, threshold=threshold, actions=action, **ONCE)
        for (one, threshold), action in zip(comparisons, actions, strict=True)
    ]
    back = replace(BACK, steps=(StepAdjustment(None, 0, -1), StepAdjustment(0, None, -1)))
    return a_fleet((OUT, back), tuple(alarms))


def fights(fleet: Fleet) -> bool:
    """Tell whether alarms of both directions ring in one situation."""
    return any(list(sample.out()) and list(sample.back()) for sample in samples(fleet))


@given(high=THRESHOLDS, low=THRESHOLDS)
def test_alarms_fight_exactly_where_their_thresholds_overlap(high: int, low: int) -> None:
    """For any thresholds, the rule finds alarms that hold at the same value."""
    fleet = fleet_of((Comparison.GREATER_OR_EQUAL, high), (Comparison.LESS_OR_EQUAL, low))
    assert fights(fleet) == (high <= low)


@given(high=THRESHOLDS, low=THRESHOLDS)
def test_strict_comparisons_need_a_number_between_them(high: int, low: int) -> None:
    """Numbers of messages are whole."""
    fleet = fleet_of((Comparison.GREATER, high), (Comparison.LESS, low))
    assert fights(fleet) == (low - high > 1)


@pytest.mark.long
@given(share=st.integers(min_value=2, max_value=300), slack=st.integers(-1, 1))
def test_alarms_on_an_expression_are_tried_where_it_turns(share: int, slack: int) -> None:
    """One instance per share of the backlog: the two exclude each other up to slack 0."""
    needed = f"CEIL((visible + in_flight) / {share})"
    high = an_expression_alarm(("needed", needed), threshold=2, actions=("OutPolicy",), **ONCE)
    low = replace(
        high,
        logical_id="low",
        comparison=Comparison.LESS,
        threshold=2 + slack,
        actions=actions_on("InPolicy"),
    )
    high = replace(high, comparison=Comparison.GREATER_OR_EQUAL)
    back = replace(BACK, steps=(StepAdjustment(None, 0, -1), StepAdjustment(0, None, -1)))
    assert fights(a_fleet((OUT, back), (high, low))) == (slack > 0)


def test_there_are_never_more_situations_than_the_limit() -> None:
    """With many metrics, each has fewer numbers."""
    metrics = [VISIBLE, IN_FLIGHT, *(Metric("Jobs", f"Number{n}") for n in range(6))]
    queries = tuple(
        MetricQuery(f"m{n}", MetricStat(metric, 60, "Maximum")) for n, metric in enumerate(metrics)
    )
    total = MetricQuery("total", expression="SUM(METRICS())")
    alarm = an_alarm(queries=(*queries, total), returned="total", actions=("OutPolicy",))
    tried = list(situations(a_fleet(alarms=(alarm,))))
    assert 0 < len(tried) <= MOST
    assert len(list(situations(product_fleet()))) <= MOST


def test_capacities_stay_within_the_groups_limits() -> None:
    """Only capacities that the group can have are tried."""
    fleet = a_fleet(group=a_group(min_size=3, max_size=5))
    assert {situation.capacity for situation in situations(fleet)} == {3, 4, 5}
