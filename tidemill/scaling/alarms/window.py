"""Evaluation windows: when an alarm is evaluated, and which periods an evaluation covers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tidemill.scaling.metrics.store import aligned

if TYPE_CHECKING:
    from datetime import tzinfo

    from tidemill.scaling.spec import Alarm

_MINUTE = 60
_HOUR = 3600
_DAY = 86_400
_WEEK = 604_800
_HIGH_RESOLUTION = 10

WALL_CLOCK_PERIODS = (_MINUTE, 300, _HOUR, _DAY, _WEEK)
"""Periods in seconds that a wall clock window may have ("Alarm evaluation window")."""


def evaluation_interval(alarm: Alarm) -> int:
    """Return how often CloudWatch evaluates the alarm, in seconds ("Alarm evaluation")."""
    if alarm.period * alarm.evaluation_periods > _DAY:
        return _HOUR
    return _HIGH_RESOLUTION if alarm.period < _MINUTE else _MINUTE


def window_end(alarm: Alarm, now: float) -> float:
    """Return when the newest period of an evaluation at `now` ends; both in epoch seconds.

    A sliding window moves with each evaluation; for alarms over more than a day it ends at a full
    hour. A wall clock window ends with the last full minute, hour, day or week of its time zone
    ("Alarm evaluation window").
    """
    if alarm.wall_clock is not None:
        return _boundary(alarm.wall_clock, alarm.period, now)
    if evaluation_interval(alarm) == _HOUR:
        return now // _HOUR * _HOUR
    return aligned(now, alarm.period)


def has_calendar_periods(alarm: Alarm) -> bool:
    """Return whether the alarm's periods are days or weeks of a wall clock.

    They have different lengths when the clocks change.
    """
    return alarm.wall_clock is not None and alarm.period >= _DAY


def period_starts(alarm: Alarm, end: float, periods: int) -> list[float]:
    """Return when each of the `periods` periods before `end` starts, oldest first.

    In a wall clock window a day lasts "from local midnight to local midnight": 23 or 25 hours when
    the clocks change.
    """
    ages = range(periods, 0, -1)
    if alarm.wall_clock is None or not has_calendar_periods(alarm):
        return [end - age * alarm.period for age in ages]
    last = datetime.fromtimestamp(end, UTC).astimezone(alarm.wall_clock)
    # Subtraction within a time zone goes by its wall clock.
    return [(last - timedelta(seconds=age * alarm.period)).timestamp() for age in ages]


def _boundary(zone: tzinfo, period: int, now: float) -> float:
    local = datetime.fromtimestamp(now, UTC).astimezone(zone)
    if period < _DAY:
        offset = (local.utcoffset() or timedelta()).total_seconds()
        return (now + offset) // period * period - offset
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == _WEEK:
        day -= timedelta(days=day.weekday())
    return day.timestamp()
