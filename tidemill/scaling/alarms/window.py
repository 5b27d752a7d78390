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
    ("Alarm evaluation window"). All periods are assumed to have the same length; this is wrong for
    days and weeks in which daylight saving time starts or ends.
    """
    if alarm.wall_clock is not None:
        return _boundary(alarm.wall_clock, alarm.period, now)
    if evaluation_interval(alarm) == _HOUR:
        return now // _HOUR * _HOUR
    return aligned(now, alarm.period)


def _boundary(zone: tzinfo, period: int, now: float) -> float:
    local = datetime.fromtimestamp(now, UTC).astimezone(zone)
    if period < _DAY:
        offset = (local.utcoffset() or timedelta()).total_seconds()
        return (now + offset) // period * period - offset
    day = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == _WEEK:
        day -= timedelta(days=day.weekday())
    return day.timestamp()
