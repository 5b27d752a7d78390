"""Wall clock windows: the datapoints that an evaluation retrieves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from support.builders.alarms import VISIBLE, a_store, an_alarm

from tidemill.scaling.alarms.alarm import AlarmMemory, datapoints, evaluate
from tidemill.scaling.spec import AlarmState, MetricQuery, MetricStat, MissingData

DAY = 86_400


@pytest.mark.parametrize(
    ("treatment", "state"),
    [
        (MissingData.MISSING, AlarmState.INSUFFICIENT_DATA),
        (MissingData.NOT_BREACHING, AlarmState.OK),
        (MissingData.BREACHING, AlarmState.ALARM),
        (MissingData.IGNORE, AlarmState.OK),
    ],
)
def test_a_wall_clock_window_does_not_search_for_older_datapoints(
    treatment: MissingData, state: AlarmState
) -> None:
    """A breaching datapoint of two minutes before is not in a window of one minute."""
    alarm = an_alarm(
        evaluation_periods=1, datapoints_to_alarm=1, wall_clock=UTC, missing_data=treatment
    )
    store = a_store({420: 50.0})
    assert datapoints(alarm, store, now=600) == (None,)
    before = AlarmMemory(AlarmState.OK, 0.0, "", None)
    assert evaluate(alarm, before, store, 600).state is state
    sliding = replace(alarm, wall_clock=None)
    assert evaluate(sliding, before, store, 600).state is AlarmState.ALARM


def test_a_wall_clock_day_lasts_from_midnight_to_midnight() -> None:
    """In New York the 8th of March 2026 has 23 hours, and the 9th starts at 4:00 UTC."""
    zone = ZoneInfo("America/New_York")
    alarm = an_alarm(
        queries=(MetricQuery("visible", MetricStat(VISIBLE, DAY, "Sum")),),
        period=DAY,
        evaluation_periods=2,
        datapoints_to_alarm=1,
        threshold=15,
        wall_clock=zone,
    )

    def local(day: int, hour: int) -> float:
        return datetime(2026, 3, day, hour, tzinfo=zone).timestamp()

    store = a_store({local(7, 23): 1, local(8, 0): 2, local(8, 23): 4, local(9, 0): 8})
    assert datapoints(alarm, store, local(9, 12)) == (1, 6)
    assert datapoints(alarm, store, local(10, 12)) == (6, 8)
    memory = evaluate(replace(alarm, threshold=7), AlarmMemory.created(0), store, local(10, 12))
    assert memory.reason.startswith(
        "Threshold Crossed: 1 out of the last 2 datapoints "
        f"[8.0 ({datetime(2026, 3, 9, 4, tzinfo=UTC):%d/%m/%y %H:%M:%S})]"
    )
