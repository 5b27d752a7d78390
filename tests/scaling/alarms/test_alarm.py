"""Evaluation of an alarm: datapoints, state, and states set by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.alarms import (
    FOREVER,
    IN_FLIGHT,
    VISIBLE,
    a_store,
    an_alarm,
    an_expression_alarm,
    points,
)

from tidemill.scaling.alarms.alarm import (
    AlarmMemory,
    StateChange,
    datapoints,
    evaluate,
    set_state,
    verify,
)
from tidemill.scaling.errors import RequestError
from tidemill.scaling.metric_math.values import ExpressionError
from tidemill.scaling.metrics.statistics import StatisticError, StatisticSet
from tidemill.scaling.metrics.store import Datapoint, MetricStore
from tidemill.scaling.spec import Alarm, AlarmState, MetricQuery, MetricStat, MissingData

HOUR, DAY = 3600, 86_400


def test_a_created_alarm_has_too_little_data() -> None:
    """PutMetricAlarm leaves an alarm in INSUFFICIENT_DATA until the first evaluation."""
    expected = AlarmMemory(
        AlarmState.INSUFFICIENT_DATA, 100.0, "Unchecked: Initial alarm creation", None
    )
    assert AlarmMemory.created(100.0) == expected


def test_a_metric_alarm_looks_at_its_evaluation_range() -> None:
    """Three evaluation periods have a range of five, up to the last full minute."""
    store = a_store({0: 1, 60: 2, 180: 4, 300: 6})
    assert datapoints(an_alarm(), store, now=366.3) == (2, None, 4, None, 6)


def test_an_expression_alarm_compares_what_its_expressions_make_of_the_metrics() -> None:
    """Expressions may build on each other, in any order."""
    alarm = an_expression_alarm(
        ("backlog", "visible + in_flight"), ("needed", "CEIL(backlog / 10)")
    )
    store = a_store({0: 11, 120: 30}).record(points(IN_FLIGHT, {60: 1, 120: 5}), FOREVER)
    assert datapoints(alarm, store, now=180) == (None, None, 2, 1, 4)


def test_an_alarm_over_more_than_a_day_sees_whole_hours_only() -> None:
    """At 10:03 it considers the data up to 10:00."""
    alarm = an_alarm(
        queries=(MetricQuery("visible", MetricStat(VISIBLE, DAY, "Sum")),),
        period=DAY,
        evaluation_periods=2,
    )
    store = a_store({10 * DAY + 10 * HOUR + 60: 1})
    assert datapoints(alarm, store, 10 * DAY + 10 * HOUR + 180)[-1] is None
    assert datapoints(alarm, store, 10 * DAY + 11 * HOUR)[-1] == 1


def test_a_change_of_state_is_remembered_with_its_time_and_reason() -> None:
    """The backlog stays above the threshold for three minutes."""
    store = a_store({0: 11, 60: 12, 120: 13})
    memory = evaluate(an_alarm(), AlarmMemory.created(0.0), store, now=186.0)
    assert memory == AlarmMemory(
        AlarmState.ALARM,
        186.0,
        "Threshold Crossed: 3 out of the last 3 datapoints [13.0 (01/01/70 00:02:00),"
        " 12.0 (01/01/70 00:01:00), 11.0 (01/01/70 00:00:00)] were greater than the threshold"
        " (10.0) (minimum 3 datapoints for OK -> ALARM transition).",
        13.0,
    )


def test_time_and_reason_stay_while_the_state_stays_and_the_value_moves() -> None:
    """A step policy needs the newest value at each repetition of the action."""
    store = a_store({0: 11, 60: 12, 120: 13, 180: 99})
    first = evaluate(an_alarm(), AlarmMemory.created(0.0), store, now=186.0)
    second = evaluate(an_alarm(), first, store, now=246.0)
    assert (second.since, second.reason, second.value) == (186.0, first.reason, 99.0)


def test_the_value_is_the_newest_real_datapoint_of_the_range() -> None:
    """Gaps are skipped; without a datapoint in the range there is no value."""
    alarm = an_alarm(missing_data=MissingData.NOT_BREACHING)
    memory = AlarmMemory.created(0.0)
    assert evaluate(alarm, memory, a_store({60: 7}), now=240).value == 7
    assert evaluate(alarm, memory, a_store({60: 7}), now=900).value is None


def test_an_alarm_that_never_had_data_stays_unchecked() -> None:
    """CloudWatch gives "Insufficient Data" as a reason only for a change of state."""
    created = AlarmMemory.created(0.0)
    assert evaluate(an_alarm(), created, MetricStore(), now=600) == created


def test_a_metric_that_stops_takes_the_alarm_back_to_too_little_data() -> None:
    """The state changes once the last datapoint has left the evaluation range."""
    alarm, store = an_alarm(), a_store({0: 1, 60: 1, 120: 1})
    memory = evaluate(alarm, AlarmMemory.created(0.0), store, now=180)
    assert memory.state is AlarmState.OK
    memory = evaluate(alarm, memory, store, now=420)
    assert memory.state is AlarmState.OK
    memory = evaluate(alarm, memory, store, now=480)
    assert memory.reason == "Insufficient Data: 3 datapoints were unknown."


@pytest.mark.parametrize(
    ("expressions", "message"),
    [
        ([("e1", "visible + nothing")], 'no metric and no expression has the id "nothing"'),
        ([("e1", "e2"), ("e2", "e1 + visible")], 'expression "e2" refers to itself'),
        ([("e1", "SUM(visible)")], '"e1" gives one number, but an alarm watches a series'),
        ([("e1", "METRICS()")], "an array of 2 series, but an alarm watches one"),
        ([("e1", "visible +")], "unexpected end at column 10"),
    ],
    ids=["unknown id", "circle", "number", "array", "syntax"],
)
def test_queries_that_do_not_work_out_are_refused_by_the_alarms_name(
    expressions: list[tuple[str, str]], message: str
) -> None:
    """The error names the alarm before it is ever evaluated."""
    with pytest.raises(ExpressionError) as error:
        verify(an_expression_alarm(*expressions))
    assert str(error.value).startswith(f"BacklogAlarm: {message}")


def test_a_statistic_that_does_not_exist_is_refused() -> None:
    """An unknown statistic is an error before the alarm is ever evaluated."""
    query = MetricQuery("visible", MetricStat(VISIBLE, 60, "p900"))
    with pytest.raises(StatisticError, match="BacklogAlarm: statistic 'p900': a percentile"):
        verify(an_alarm(queries=(query,)))


def test_a_query_that_nothing_refers_to_is_checked_as_well() -> None:
    """CloudWatch would refuse an alarm with an invalid query, used or not."""
    queries = (*an_alarm().queries, MetricQuery("e1", expression="nothing + 1"))
    with pytest.raises(ExpressionError, match='has the id "nothing"'):
        verify(an_alarm(queries=queries))


def test_an_expression_may_use_the_array_that_another_one_gives() -> None:
    """Only the one that the alarm watches has to be a single series."""
    alarm = an_expression_alarm(("all", "METRICS()"), ("most", "MAX(all)"))
    store = a_store({120: 30}).record(points(IN_FLIGHT, {60: 1, 120: 5}), FOREVER)
    assert datapoints(alarm, store, now=180) == (None, None, None, 1, 30)


def test_timestamps_are_those_of_the_periods_of_the_evaluation_range() -> None:
    """A period is stamped with its start."""
    alarm = an_expression_alarm(("when", "EPOCH(visible)"))
    assert datapoints(alarm, MetricStore(), now=366.3) == (60, 120, 180, 240, 300)


def test_a_percentile_of_too_few_samples_leaves_the_state_as_it_is() -> None:
    """p90 needs 100 samples in all evaluation periods ("Percentile-based alarms ...")."""
    query = MetricQuery("latency", MetricStat(VISIBLE, 60, "p90"))
    alarm = an_alarm(queries=(query,), returned="latency", ignore_low_samples=True)
    few = MetricStore().record(
        [Datapoint(VISIBLE, at, StatisticSet(33, 33 * 99, 99, 99)) for at in (0, 60, 120)], FOREVER
    )
    enough = few.record(points(VISIBLE, {120: 99}), FOREVER)
    created = AlarmMemory.created(0.0)
    assert evaluate(alarm, created, few, 180).state is AlarmState.INSUFFICIENT_DATA
    assert evaluate(alarm, created, enough, 180).state is AlarmState.ALARM
    assert evaluate(replace(alarm, ignore_low_samples=False), created, few, 180).state == "ALARM"


def test_low_samples_are_looked_at_for_percentiles_only() -> None:
    """EvaluateLowSampleCountPercentile has no effect on other alarms (API, PutMetricAlarm)."""
    store = a_store({0: 11, 60: 12, 120: 13})
    for alarm in (an_alarm(), an_expression_alarm(("e1", "visible * 1"))):
        memory = evaluate(
            replace(alarm, ignore_low_samples=True), AlarmMemory.created(0.0), store, 180
        )
        assert memory.state is AlarmState.ALARM


CHANGE = StateChange(AlarmState.ALARM, "to see what happens", '{"recentDatapoints": [1, 42]}')


def test_a_state_set_by_hand_lasts_until_the_next_evaluation() -> None:
    """Policies read the newest value of the reason's data."""
    alarm, created = an_alarm(actions=("OutPolicy",)), AlarmMemory.created(0.0)
    changed = set_state(alarm, created, CHANGE, 100.0)
    assert changed == AlarmMemory(AlarmState.ALARM, 100.0, "to see what happens", 42)
    assert evaluate(alarm, changed, a_store({0: 1, 60: 1, 120: 1}), 180).state is AlarmState.OK


def test_setting_the_state_that_it_has_is_no_change() -> None:
    """The time since when the alarm is in its state stays."""
    memory = AlarmMemory(AlarmState.ALARM, 50.0, "", None)
    assert set_state(an_alarm(), memory, CHANGE, 100.0).since == 50.0


@pytest.mark.parametrize(
    "data", [None, "", "42", "[]", "{}", '{"recentDatapoints": []}', '{"recentDatapoints": ["x"]}']
)
def test_a_state_set_without_the_value_that_a_policy_needs_is_refused(data: str | None) -> None:
    """An alarm without policies needs no value."""
    change = replace(CHANGE, reason_data=data)
    with pytest.raises(RequestError, match="StateReasonData"):
        set_state(an_alarm(actions=("OutPolicy",)), AlarmMemory.created(0.0), change, 100.0)
    bare = replace(CHANGE, reason_data=None)
    assert set_state(an_alarm(), AlarmMemory.created(0.0), bare, 100.0).value is None


def test_datapoints_of_another_unit_than_asked_for_do_not_count() -> None:
    """Datapoints without a unit do count."""
    query = MetricQuery("visible", MetricStat(VISIBLE, 60, "Sum"), unit="Count")
    units = [
        Datapoint(VISIBLE, at, StatisticSet.of(at + 1), unit)
        for at, unit in ((0, "Count"), (60, "Seconds"), (120, None))
    ]
    store = MetricStore().record(units, FOREVER)
    assert datapoints(an_alarm(queries=(query,)), store, 180)[-3:] == (1, None, 121)


def test_queries_that_work_out_are_accepted() -> None:
    """A metric is accepted, and so is an expression on an expression."""
    verify(an_alarm())
    verify(an_expression_alarm(("half", "visible / 2"), ("e1", "half - AVG(half)")))


ALARMS = st.builds(
    lambda treatment, least: an_alarm(missing_data=treatment, datapoints_to_alarm=least),
    st.sampled_from(MissingData),
    st.integers(1, 3),
)
TEN_MINUTES = st.dictionaries(st.integers(0, 9).map(lambda minute: minute * 60.0), st.floats(0, 20))


@given(
    ALARMS,
    TEN_MINUTES,
    st.floats(0, 900),
)
def test_evaluating_twice_at_one_moment_changes_nothing(
    alarm: Alarm, values: dict[float, float], now: float
) -> None:
    """An evaluation is a function of memory and data; its result is a fixed point."""
    once = evaluate(alarm, AlarmMemory.created(0.0), a_store(values), now)
    assert evaluate(alarm, once, a_store(values), now) == once


@given(
    ALARMS,
    TEN_MINUTES,
    st.lists(st.floats(0, 59.9), min_size=10, max_size=10),
)
def test_how_often_an_alarm_is_evaluated_within_a_minute_changes_nothing(
    alarm: Alarm, values: dict[float, float], extra: list[float]
) -> None:
    """Datapoints come once a minute, so a second evaluation in it has the same result."""
    store = a_store(values)
    once = often = AlarmMemory.created(0.0)
    for minute, later in enumerate(extra, start=1):
        once = evaluate(alarm, once, store, minute * 60.0)
        often = evaluate(alarm, often, store, minute * 60.0)
        often = evaluate(alarm, often, store, minute * 60.0 + later)
        assert often == once
