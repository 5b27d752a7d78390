"""Evaluation of a CloudWatch alarm: its datapoints, its state, and the reason of the state."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.scaling.alarms.queries import check_queries, compile_queries
from tidemill.scaling.alarms.reason import CREATED, explain
from tidemill.scaling.alarms.verdict import judge, retrieved_periods
from tidemill.scaling.alarms.window import has_calendar_periods, period_starts, window_end
from tidemill.scaling.errors import ScalingError, invalid
from tidemill.scaling.metrics.statistics import percentile_of, samples_needed
from tidemill.scaling.spec import AlarmState, MetricStat

if TYPE_CHECKING:
    from tidemill.scaling.metrics.store import MetricStore, Series
    from tidemill.scaling.spec import Alarm


@dataclass(frozen=True, slots=True)
class AlarmMemory:
    """The memory of an alarm between evaluations.

    `since` is when the alarm entered its state, in epoch seconds. `reason` is the reason of that
    change in CloudWatch's words. Both change only with the state, as in CloudWatch. `value` is the
    most recent real datapoint of the evaluation range; a step policy compares it with its steps.
    """

    state: AlarmState
    since: float
    reason: str
    value: float | None

    @staticmethod
    def created(now: float) -> AlarmMemory:
        """Return the memory of an alarm that was created at `now` (API, PutMetricAlarm)."""
        return AlarmMemory(AlarmState.INSUFFICIENT_DATA, now, CREATED, None)


def evaluate(alarm: Alarm, memory: AlarmMemory, store: MetricStore, now: float) -> AlarmMemory:
    """Return the alarm's memory after an evaluation at `now`, in epoch seconds.

    Raises:
        ExpressionError: the alarm's queries cannot be computed; `verify` reports that beforehand.
        StatisticError: there is no such statistic; `verify` reports that, too.
    """
    values = datapoints(alarm, store, now)
    if alarm.warm_up is not None and _warms_up(alarm, memory, store, values, now):
        return memory
    state = memory.state
    if not (alarm.ignore_low_samples and _too_few_samples(alarm, store, now)):
        state = judge(alarm, values, state)
    value = next((value for value in reversed(values) if value is not None), None)
    if state is not memory.state:
        reason = explain(alarm, state, values, window_end(alarm, now))
        return AlarmMemory(state, now, reason, value)
    if value == memory.value:
        return memory
    return AlarmMemory(state, memory.since, memory.reason, value)


@dataclass(frozen=True, slots=True)
class StateChange:
    """A state set by hand (API, SetAlarmState), with its reason in words and in JSON."""

    state: AlarmState
    reason: str
    reason_data: str | None = None


def set_state(alarm: Alarm, memory: AlarmMemory, change: StateChange, now: float) -> AlarmMemory:
    """Return the alarm's memory after a change by hand, which holds until the next evaluation.

    A policy compares the newest of `recentDatapoints` in the reason's JSON with its steps.

    Raises:
        RequestError: the alarm runs policies, and there is no such value.
    """
    value = memory.value
    if change.reason_data is not None:
        value = _newest_value(change.reason_data)
    elif alarm.policies:
        raise invalid(
            "StateReasonData is missing: the scaling policies of the alarm read the value of the "
            'metric from it, such as {"recentDatapoints": [42]}'
        )
    since = memory.since if change.state is memory.state else now
    return AlarmMemory(change.state, since, change.reason, value)


def _newest_value(reason_data: str) -> float:
    try:
        return float(json.loads(reason_data)["recentDatapoints"][-1])
    except (ValueError, LookupError, TypeError):
        raise invalid("StateReasonData has no numbers in recentDatapoints") from None


def datapoints(alarm: Alarm, store: MetricStore, now: float) -> Series:
    """Return the values of the alarm's evaluation range at `now`, oldest first.

    Raises: as `evaluate`.
    """
    periods = retrieved_periods(alarm)
    program = compile_queries(alarm.queries, alarm.returned)
    end = window_end(alarm, now)
    if has_calendar_periods(alarm):
        return program.run_between(store, (*period_starts(alarm, end, periods), end), alarm.period)
    return program.run(store, end, alarm.period, periods)


def verify(alarm: Alarm) -> None:
    """Check that the alarm's queries give exactly one series.

    Raises:
        ExpressionError: an expression cannot be used, refers to an unknown id or to itself,
            or gives a number or several series; the message names the alarm.
        StatisticError: there is no such statistic.
    """
    try:
        compile_queries(alarm.queries, alarm.returned)
        check_queries(alarm.queries)
    except ScalingError as error:
        raise type(error)(f"{alarm.logical_id}: {error}") from None


def _warms_up(
    alarm: Alarm, memory: AlarmMemory, store: MetricStore, values: Series, now: float
) -> bool:
    """Return whether a new alarm is still in its warm-up ("Alarm warm-up periods").

    Unless it waits for the whole period, warm-up ends once data fill the evaluation window: there
    is a datapoint in its newest period and one at or before its start. It happens only once.
    """
    warm_up = alarm.warm_up
    if warm_up is None or memory.reason != CREATED or now >= memory.since + warm_up.seconds:
        return False
    begin = period_starts(alarm, window_end(alarm, now), alarm.evaluation_periods)[0]
    full = values[-1] is not None and any(
        store.oldest(query.stat.metric) <= begin for query in alarm.queries if query.stat
    )
    return warm_up.whole or not full


def _too_few_samples(alarm: Alarm, store: MetricStore, now: float) -> bool:
    """Return whether a percentile has too few samples to be significant.

    Samples are counted over all evaluation periods: this is our reading of "during the evaluation
    period" ("Percentile-based alarms and low data samples"). AWS does not publish whether the
    setting affects an expression over percentiles; here it does not.
    """
    stat = next(query.stat for query in alarm.queries if query.id == alarm.returned)
    percentile = None if stat is None else percentile_of(stat.stat)
    if stat is None or percentile is None:
        return False
    counted = MetricStat(stat.metric, stat.period, "SampleCount")
    counts = store.series(counted, window_end(alarm, now), alarm.evaluation_periods)
    return sum(count or 0.0 for count in counts) < samples_needed(percentile)
