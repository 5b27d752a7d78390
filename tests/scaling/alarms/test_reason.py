"""Reasons of an alarm's state, word by word."""

from __future__ import annotations

import pytest
from support.builders.alarms import an_alarm

from tidemill.scaling.alarms.reason import explain
from tidemill.scaling.spec import Alarm, AlarmState, Comparison, MissingData

OK, ALARM, INSUFFICIENT = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA
END = 1_751_531_640.0  # 3 July 2025, 08:34:00 UTC
CROSSED = "Threshold Crossed: "


@pytest.mark.parametrize(
    ("alarm", "state", "values", "expected"),
    [
        pytest.param(
            an_alarm(evaluation_periods=1, datapoints_to_alarm=1),
            ALARM,
            [None, None, 21.5],
            "1 datapoint [21.5 (03/07/25 08:33:00)] was greater than the threshold (10.0).",
            id="one of one",
        ),
        pytest.param(
            an_alarm(period=300),
            ALARM,
            [None, 1, 41, 33.8, 32.6],
            "3 out of the last 3 datapoints [32.6 (03/07/25 08:29:00), 33.8 (03/07/25 08:24:00),"
            " 41.0 (03/07/25 08:19:00)] were greater than the threshold (10.0)"
            " (minimum 3 datapoints for OK -> ALARM transition).",
            id="all of three",
        ),
        pytest.param(
            an_alarm(datapoints_to_alarm=2),
            ALARM,
            [11, 11, 20, None, 5, 30],
            "2 out of the last 3 datapoints [30.0 (03/07/25 08:33:00), 20.0 (03/07/25 08:30:00)]"
            " were greater than the threshold (10.0)"
            " (minimum 2 datapoints for OK -> ALARM transition).",
            id="two of three, one older",
        ),
        pytest.param(
            an_alarm(comparison=Comparison.LESS_OR_EQUAL),
            OK,
            [1, 1, 1, 1, 11],
            "1 out of the last 3 datapoints [11.0 (03/07/25 08:33:00)] was not less than or equal"
            " to the threshold (10.0) (minimum 1 datapoint for ALARM -> OK transition).",
            id="back to OK",
        ),
        pytest.param(
            an_alarm(evaluation_periods=5, datapoints_to_alarm=3, comparison=Comparison.LESS),
            OK,
            [11, 11, 9, 11, 9],
            "3 out of the last 5 datapoints [11.0 (03/07/25 08:32:00), 11.0 (03/07/25 08:30:00),"
            " 11.0 (03/07/25 08:29:00)] were not less than the threshold (10.0)"
            " (minimum 3 datapoints for ALARM -> OK transition).",
            id="three of five back to OK",
        ),
        pytest.param(
            an_alarm(evaluation_periods=6, datapoints_to_alarm=6),
            ALARM,
            [16, 15, 14, 13, 12, 11],
            "6 out of the last 6 datapoints were greater than the threshold (10.0). The most"
            " recent datapoints which crossed the threshold: [11.0 (03/07/25 08:33:00), 12.0"
            " (03/07/25 08:32:00), 13.0 (03/07/25 08:31:00), 14.0 (03/07/25 08:30:00), 15.0"
            " (03/07/25 08:29:00)] (minimum 6 datapoints for OK -> ALARM transition).",
            id="too many to list",
        ),
        pytest.param(
            an_alarm(missing_data=MissingData.BREACHING),
            ALARM,
            [None] * 5,
            "no datapoints were received for 3 periods and 3 missing datapoints were treated as"
            " [Breaching].",
            id="no data is breaching",
        ),
        pytest.param(
            an_alarm(
                evaluation_periods=1,
                datapoints_to_alarm=1,
                missing_data=MissingData.NOT_BREACHING,
            ),
            OK,
            [None] * 3,
            "no datapoints were received for 1 period and 1 missing datapoint was treated as"
            " [NonBreaching].",
            id="no data is fine",
        ),
        pytest.param(
            an_alarm(missing_data=MissingData.BREACHING),
            OK,
            [None, None, None, None, 1],
            "1 datapoint [1.0 (03/07/25 08:33:00)] was not greater than the threshold (10.0) and"
            " 2 missing datapoints were treated as [Breaching].",
            id="one good point among missing ones",
        ),
        pytest.param(
            an_alarm(datapoints_to_alarm=2, missing_data=MissingData.BREACHING),
            ALARM,
            [None, None, None, None, 1],
            "1 datapoint was received for 3 periods and 2 missing datapoints were treated as"
            " [Breaching].",
            id="missing ones alone suffice",
        ),
        pytest.param(
            an_alarm(),
            ALARM,
            [None, None, 11, None, None],
            "1 out of the last 3 datapoints [11.0 (03/07/25 08:31:00)] was greater than the"
            " threshold (10.0) (minimum 3 datapoints for OK -> ALARM transition).",
            id="old and alone",
        ),
    ],
)
def test_a_reason_says_which_datapoints_decided(
    alarm: Alarm, state: AlarmState, values: list[float | None], expected: str
) -> None:
    """Datapoints are listed newest first, each with the start of its period, day first."""
    assert explain(alarm, state, values, END) == CROSSED + expected


@pytest.mark.parametrize(
    ("periods", "expected"),
    [
        (1, "Insufficient Data: 1 datapoint was unknown."),
        (3, "Insufficient Data: 3 datapoints were unknown."),
    ],
)
def test_a_lack_of_data_says_how_many_datapoints_are_unknown(periods: int, expected: str) -> None:
    """The number is that of the datapoints that would have been needed."""
    alarm = an_alarm(evaluation_periods=periods, datapoints_to_alarm=periods)
    assert explain(alarm, INSUFFICIENT, [None] * 5, END) == expected
