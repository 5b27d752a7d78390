"""A CloudWatch alarm over time: the datapoints it looks at, its state, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tidemill.scaling.errors import ScalingError
from tidemill.scaling.expression import ExpressionError, compile_expression
from tidemill.scaling.metrics import StatisticSet, aligned
from tidemill.scaling.reason import CREATED, explain
from tidemill.scaling.verdict import AlarmState, evaluation_range, judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.scaling.metrics import MetricStore, Series
    from tidemill.scaling.spec import Alarm

__all__ = [
    "AlarmMemory",
    "AlarmState",
    "datapoints",
    "evaluate",
    "evaluation_interval",
    "evaluation_range",
    "judge",
    "verify",
]

_MINUTE = 60
_HOUR = 3600
_DAY = 86_400
_HIGH_RESOLUTION = 10


@dataclass(frozen=True, slots=True)
class AlarmMemory:
    """What an alarm remembers between evaluations.

    `since` is when it entered its state, in epoch seconds, and `reason` why, in CloudWatch's
    words: both change with the state only, as in CloudWatch. `value` is the most recent real
    datapoint of the evaluation range, which a step policy compares with its steps.
    """

    state: AlarmState
    since: float
    reason: str
    value: float | None

    @staticmethod
    def created(now: float) -> AlarmMemory:
        """Return the memory of an alarm that was created at `now` (API, PutMetricAlarm)."""
        return AlarmMemory(AlarmState.INSUFFICIENT_DATA, now, CREATED, None)


def evaluation_interval(alarm: Alarm) -> int:
    """Return how often CloudWatch evaluates the alarm, in seconds ("Alarm evaluation")."""
    if alarm.period * alarm.evaluation_periods > _DAY:
        return _HOUR
    return _HIGH_RESOLUTION if alarm.period < _MINUTE else _MINUTE


def evaluate(alarm: Alarm, memory: AlarmMemory, store: MetricStore, now: float) -> AlarmMemory:
    """Return the alarm's memory after an evaluation at `now`, in epoch seconds.

    Raises:
        ExpressionError: the alarm's queries do not work out; `verify` says so beforehand.
        StatisticError: a statistic is not modelled; likewise.
    """
    values = datapoints(alarm, store, now)
    state = judge(alarm, values, memory.state)
    value = next((value for value in reversed(values) if value is not None), None)
    if state is memory.state:
        return replace(memory, value=value)
    reason = explain(alarm, state, values, aligned(_horizon(alarm, now), alarm.period))
    return AlarmMemory(state, now, reason, value)


def datapoints(alarm: Alarm, store: MetricStore, now: float) -> Series:
    """Return the values of the alarm's evaluation range at `now`, oldest first.

    Raises: as `evaluate`.
    """
    end = _horizon(alarm, now)
    periods = evaluation_range(alarm.evaluation_periods)
    return _answer(
        alarm,
        {
            query.id: store.series(query.stat, end, periods)
            for query in alarm.queries
            if query.stat is not None
        },
    )


def verify(alarm: Alarm) -> None:
    """Make sure that the alarm's queries work out to the one series that an alarm watches.

    Raises:
        ExpressionError: an expression cannot be used, refers to an unknown id or to itself,
            or gives a number or several series; the message names the alarm.
        StatisticError: a statistic is not modelled.
    """
    series: dict[str, Series] = {}
    try:
        for query in alarm.queries:
            if query.stat is not None:
                StatisticSet.of(0.0).value(query.stat.stat)
                series[query.id] = (0.0,)
        _answer(alarm, series)
    except ScalingError as error:
        raise type(error)(f"{alarm.logical_id}: {error}") from None


def _horizon(alarm: Alarm, now: float) -> float:
    """Return up to when data counts: alarms over more than a day see whole hours only."""
    return now // _HOUR * _HOUR if evaluation_interval(alarm) == _HOUR else now


def _answer(alarm: Alarm, series: Mapping[str, Series]) -> Series:
    """Return the series that the alarm compares, given those of its metrics by id."""
    if alarm.returned in series:
        return series[alarm.returned]
    expressions = {query.id: query.expression for query in alarm.queries}
    results: dict[str, Series | float] = {}

    def work_out(wanted: str, path: tuple[str, ...]) -> None:
        text = expressions.get(wanted)
        if text is None:
            raise ExpressionError(f'no metric and no expression has the id "{wanted}"')
        if wanted in path:
            raise ExpressionError(f'expression "{wanted}" refers to itself')
        expression = compile_expression(text)
        for name in sorted(expression.names - series.keys() - results.keys()):
            work_out(name, (*path, wanted))
        results[wanted] = expression.evaluate(series, results)

    work_out(alarm.returned, ())
    answer = results[alarm.returned]
    if isinstance(answer, tuple):
        return answer
    raise ExpressionError(
        f'"{alarm.returned}" gives one number, where an alarm watches a series over time'
    )
