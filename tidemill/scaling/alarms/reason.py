"""Reason of an alarm's change of state, in CloudWatch's own words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tidemill.scaling.alarms.verdict import breaches, missing_datapoints
from tidemill.scaling.alarms.window import period_starts
from tidemill.scaling.spec import AlarmState, Comparison, MissingData

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tidemill.scaling.spec import Alarm

CREATED = "Unchecked: Initial alarm creation"

_COMPARISONS: Mapping[Comparison, str] = {
    Comparison.GREATER: "greater than",
    Comparison.GREATER_OR_EQUAL: "greater than or equal to",
    Comparison.LESS: "less than",
    Comparison.LESS_OR_EQUAL: "less than or equal to",
}
_TREATED = {MissingData.BREACHING: "Breaching", MissingData.NOT_BREACHING: "NonBreaching"}
_LISTED = 5  # from this many datapoints on, CloudWatch lists only these, in a second sentence


def explain(alarm: Alarm, state: AlarmState, values: Sequence[float | None], end: float) -> str:
    """Return the reason for a change to `state`.

    Args:
        alarm: the alarm that changed.
        state: its new state.
        values: the datapoints of the evaluation range, oldest first.
        end: when the newest of their periods ended, in epoch seconds.

    The wording is that of state reasons in CloudWatch's alarm notifications. CloudWatch uses a
    slightly different wording for alarms without DatapointsToAlarm; only alarms on a single period
    get that one here.
    """
    starts = period_starts(alarm, end, len(values))
    real = [
        (value, start)
        for value, start in zip(reversed(values), reversed(starts), strict=True)
        if value is not None
    ][: alarm.evaluation_periods]
    missing = missing_datapoints(alarm, values)
    if state is AlarmState.INSUFFICIENT_DATA:
        return f"Insufficient Data: {_count(missing, 'datapoint')} {_was(missing)} unknown."
    decisive = [
        (value, start)
        for value, start in real
        if breaches(alarm, value) is (state is AlarmState.ALARM)
    ]
    if missing and alarm.missing_data in _TREATED:
        filled = f"{_count(missing, 'missing datapoint')} {_was(missing)} treated as"
        facts = _crossed(alarm, state, decisive, "") if decisive else _received(alarm, len(real))
        return f"Threshold Crossed: {facts} and {filled} [{_TREATED[alarm.missing_data]}]."
    if alarm.evaluation_periods == 1:
        return f"Threshold Crossed: {_crossed(alarm, state, decisive, '')}."
    out_of = f" out of the last {alarm.evaluation_periods}"
    least = alarm.datapoints_to_alarm
    change = "OK -> ALARM"
    if state is AlarmState.OK:
        least = alarm.evaluation_periods - alarm.datapoints_to_alarm + 1
        change = "ALARM -> OK"
    return (
        f"Threshold Crossed: {_crossed(alarm, state, decisive, out_of)}"
        f" (minimum {_count(least, 'datapoint')} for {change} transition)."
    )


def _crossed(
    alarm: Alarm, state: AlarmState, points: Sequence[tuple[float, float]], out_of: str
) -> str:
    """Return the words about the datapoints, newest first, and their side of the threshold."""
    count = f"{len(points)}{out_of} datapoints" if out_of else _count(len(points), "datapoint")
    negation = "" if state is AlarmState.ALARM else "not "
    side = (
        f"{_was(len(points))} {negation}{_COMPARISONS[alarm.comparison]}"
        f" the threshold ({float(alarm.threshold)})"
    )
    listed = ", ".join(f"{float(value)} ({_stamp(start)})" for value, start in points[:_LISTED])
    if len(points) < _LISTED:
        return f"{count} [{listed}] {side}"
    which = " which crossed the threshold" if state is AlarmState.ALARM else ""
    return f"{count} {side}. The most recent datapoints{which}: [{listed}]"


def _received(alarm: Alarm, real: int) -> str:
    datapoints = _count(real, "datapoint") if real else "no datapoints"
    verb = _was(real) if real else "were"
    return f"{datapoints} {verb} received for {_count(alarm.evaluation_periods, 'period')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%d/%m/%y %H:%M:%S")
