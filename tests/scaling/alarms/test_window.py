"""Evaluation windows: when an alarm is evaluated, and which periods it covers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.alarms import an_alarm

from tidemill.scaling.alarms.window import WALL_CLOCK_PERIODS, evaluation_interval, window_end

if TYPE_CHECKING:
    from datetime import tzinfo

HOUR, DAY, WEEK = 3600, 86_400, 604_800
INDIA = timezone(timedelta(hours=5, minutes=30))
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("period", "periods", "expected"),
    [
        (10, 3, 10),
        (20, 3, 10),
        (30, 6, 10),
        (60, 3, 60),
        (300, 1, 60),
        (HOUR, 24, 60),
        (HOUR, 25, HOUR),
        (DAY, 2, HOUR),
    ],
)
def test_an_alarm_is_evaluated_by_the_minute_but_for_short_and_long_ones(
    period: int, periods: int, expected: int
) -> None:
    """Periods below a minute: every ten seconds. Windows above a day: every hour."""
    assert evaluation_interval(an_alarm(period=period, evaluation_periods=periods)) == expected


def moment(text: str) -> float:
    """Return a time in UTC as epoch seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("period", "now", "expected"),
    [
        (10, "2026-03-04 10:07:38", "2026-03-04 10:07:30"),
        (30, "2026-03-04 10:07:28", "2026-03-04 10:07:20"),
        (60, "2026-03-04 10:07:38", "2026-03-04 10:07"),
        (300, "2026-03-04 10:07:38", "2026-03-04 10:07"),
        (HOUR, "2026-03-04 10:07:38", "2026-03-04 10:07"),
        (DAY, "2026-03-04 10:07:38", "2026-03-04 10:00"),
    ],
)
def test_a_sliding_window_moves_on_with_each_evaluation(
    period: int, now: str, expected: str
) -> None:
    """Three periods of a day are more than a day, so their window ends at a full hour."""
    assert window_end(an_alarm(period=period), moment(now)) == moment(expected)


@pytest.mark.parametrize(
    ("period", "zone", "now", "expected"),
    [
        (60, UTC, "2026-03-04 10:07:38", "2026-03-04 10:07"),
        (300, UTC, "2026-03-04 10:07:38", "2026-03-04 10:05"),
        (HOUR, UTC, "2026-03-04 10:07:38", "2026-03-04 10:00"),
        (HOUR, INDIA, "2026-03-04 10:07:38", "2026-03-04 09:30"),
        (DAY, UTC, "2026-03-04 10:07:38", "2026-03-04 00:00"),
        (DAY, INDIA, "2026-03-04 10:07:38", "2026-03-03 18:30"),
        (DAY, NEW_YORK, "2026-03-04 10:07:38", "2026-03-04 05:00"),
        (DAY, NEW_YORK, "2026-03-08 20:00:00", "2026-03-08 05:00"),
        (DAY, NEW_YORK, "2026-03-09 20:00:00", "2026-03-09 04:00"),
        (WEEK, UTC, "2026-03-04 10:07:38", "2026-03-02 00:00"),
        (WEEK, NEW_YORK, "2026-03-02 04:59:59", "2026-02-23 05:00"),
    ],
)
def test_a_wall_clock_window_ends_at_the_last_boundary_of_its_zone(
    period: int, zone: tzinfo, now: str, expected: str
) -> None:
    """Windows end at the full hour, at midnight or on Monday, also when the clocks change."""
    alarm = an_alarm(period=period, wall_clock=zone)
    assert window_end(alarm, moment(now)) == moment(expected)


@given(
    st.sampled_from(WALL_CLOCK_PERIODS),
    st.sampled_from([None, UTC, INDIA, NEW_YORK]),
    st.floats(1.5e9, 1.9e9),
)
def test_no_window_ends_in_the_future_nor_long_ago(
    period: int, zone: tzinfo | None, now: float
) -> None:
    """A window's end is at most a period, an hour and a change of clocks old."""
    end = window_end(an_alarm(period=period, wall_clock=zone), now)
    assert now - period - 2 * HOUR < end <= now
