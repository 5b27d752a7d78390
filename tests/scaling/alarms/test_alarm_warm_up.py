"""Warm-up of an alarm: when it ends, and what the evaluation sees until then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from support.builders.alarms import VISIBLE, a_store, an_alarm

from tidemill.scaling.alarms.alarm import AlarmMemory, datapoints, evaluate
from tidemill.scaling.spec import Alarm, AlarmState, MetricQuery, MetricStat, MissingData, WarmUp


def evaluated(alarm: Alarm, values: dict[float, float], until: int) -> dict[int, AlarmState]:
    """Return the state after each minute of an alarm created at 0, on what had come by then."""
    memory, states = AlarmMemory.created(0.0), {}
    for minute in range(1, until + 1):
        store = a_store({at: value for at, value in values.items() if at < minute * 60})
        memory = evaluate(alarm, memory, store, minute * 60.0)
        states[minute] = memory.state
    return states


QUARTER = an_alarm(
    queries=(MetricQuery("visible", MetricStat(VISIBLE, 300, "Sum")),),
    period=300,
    missing_data=MissingData.BREACHING,
)


def test_a_warm_up_ends_when_data_fill_the_evaluation_window() -> None:
    """Created at 10:00, data from 10:04, 3 periods of 5 minutes: evaluated at about 10:19."""
    alarm = replace(QUARTER, warm_up=WarmUp(3600))
    states = evaluated(alarm, {minute * 60.0: 1.0 for minute in range(4, 30)}, 20)
    assert [minute for minute, state in states.items() if state is AlarmState.OK] == [19, 20]
    assert states[18] is AlarmState.INSUFFICIENT_DATA


def test_how_many_datapoints_alarm_does_not_change_the_warm_up() -> None:
    """The window is full at the same time with 1 of 3 datapoints as with 3 of 3."""
    alarm = replace(QUARTER, warm_up=WarmUp(3600), datapoints_to_alarm=1)
    states = evaluated(alarm, {minute * 60.0: 1.0 for minute in range(4, 30)}, 20)
    assert [minute for minute, state in states.items() if state is AlarmState.OK] == [19, 20]


def test_a_warm_up_ends_at_its_end_at_the_latest() -> None:
    """The alarm is evaluated then even without data, or at no earlier time if `whole` is set."""
    without = evaluated(replace(QUARTER, warm_up=WarmUp(600)), {}, 10)
    assert (without[9], without[10]) == (AlarmState.INSUFFICIENT_DATA, AlarmState.ALARM)
    values = {minute * 60.0: 1.0 for minute in range(-20, 30)}
    whole = evaluated(replace(QUARTER, warm_up=WarmUp(600, whole=True)), values, 10)
    assert (whole[9], whole[10]) == (AlarmState.INSUFFICIENT_DATA, AlarmState.OK)


def test_a_warm_up_is_over_at_once_where_the_metric_was_there_before() -> None:
    """Datapoints from before the alarm's creation count ("Alarm evaluation")."""
    values = {minute * 60.0: 1.0 for minute in range(-20, 30)}
    assert evaluated(replace(QUARTER, warm_up=WarmUp(600)), values, 1)[1] is AlarmState.OK


def test_a_wall_clock_window_is_seen_when_its_period_is_over() -> None:
    """An evaluation in minute 7 uses the last full 5 minutes, 0 to 5."""
    alarm = replace(QUARTER, evaluation_periods=1, datapoints_to_alarm=1, wall_clock=UTC)
    store = a_store({240: 3, 300: 99})
    assert datapoints(alarm, store, 7 * 60)[-1] == 3
    assert datapoints(alarm, store, 10 * 60)[-1] == 99
