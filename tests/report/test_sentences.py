"""Facts in plain language."""

from __future__ import annotations

import pytest

from tidemill.report.sentences import line, sentence
from tidemill.scaling.facts import (
    KINDS,
    ActivityStarted,
    AlarmChanged,
    CapacitySampled,
    DesiredChanged,
    Fact,
    FaultBegan,
    FaultEnded,
    InstanceChanged,
    Noted,
    PolicyHeld,
    QueueSampled,
)

NEEDED = "instances needed"


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        pytest.param(
            DesiredChanged(0, "BacklogAlarm", "P", NEEDED, 11, {"visible": 505}, 0, 4),
            "Backlog: visible 505: instances needed 11 -> desired 0 to 4 (the maximum)",
            id="capped",
        ),
        pytest.param(
            DesiredChanged(0, "BacklogAlarm", "P", "messages", 505, {"visible": 505}, 0, 4),
            "Backlog: visible 505: messages 505 -> desired 0 to 4",
            id="value-that-counts-no-instances",
        ),
        pytest.param(
            DesiredChanged(0, "SurplusAlarm", "P", "", 1, {"a": 2.5, "b": 4}, 4, 1),
            "Surplus: a 2.5, b 4: value 1 -> desired 4 to 1",
            id="scale-in",
        ),
        pytest.param(
            AlarmChanged(0, "BacklogRisingAlarm", "OK", "ALARM", "why", 1.0),
            "BacklogRising is ALARM (was OK, value 1)",
            id="alarm",
        ),
        pytest.param(
            AlarmChanged(0, "Alarm", "OK", "INSUFFICIENT_DATA", "why", None),
            "Alarm is INSUFFICIENT_DATA (was OK)",
            id="no-value",
        ),
        pytest.param(
            PolicyHeld(0, "BacklogAlarm", "OutPolicy", "2 instances are warming up"),
            "Backlog: OutPolicy changes nothing: 2 instances are warming up",
            id="held",
        ),
        pytest.param(
            InstanceChanged(0, "i-1", "Terminating:Wait", "hook drain"),
            "i-1 is to be terminated and drains (hook drain)",
            id="instance",
        ),
        pytest.param(
            FaultBegan(0, "metrics-late", "visible", {"late_minutes": 15.0}),
            "the metric visible will arrive 15 minutes late, for 60 minutes",
            id="fault",
        ),
        pytest.param(
            FaultBegan(0, "metrics-missing", "", {"for_minutes": 0.0}),
            "SQS's metrics will have no datapoints, until the end",
            id="fault-without-end",
        ),
        pytest.param(
            FaultEnded(0, "alarms-late", ""),
            "all alarms: the fault alarms-late has ended",
            id="end-of-a-fault",
        ),
        pytest.param(Noted(0, "by the way"), "by the way", id="note"),
        pytest.param(QueueSampled(0, 1, 2), None, id="queue-sample"),
        pytest.param(CapacitySampled(0, 1, 2, 3, 4), None, id="capacity-sample"),
        pytest.param(ActivityStarted(0, "launch", "i-1", "d", "c"), None, id="activity"),
    ],
)
def test_each_kind_of_fact_has_its_sentence(fact: Fact, message: str | None) -> None:
    """Events have a sentence; samples and activities have none."""
    assert sentence(fact) == message


def test_a_line_begins_with_the_time_in_utc() -> None:
    """The time in front of a line is in UTC, as on AWS's consoles."""
    assert line(Noted(3 * 3600 + 61, "x")) == "03:01:01 x"


def test_every_kind_of_fact_is_reported_or_left_out_on_purpose() -> None:
    """All kinds of facts are covered, so that none ends a run with an error."""
    known = {QueueSampled, CapacitySampled, ActivityStarted, AlarmChanged, DesiredChanged}
    assert set(KINDS.values()) == known | {
        PolicyHeld,
        InstanceChanged,
        FaultBegan,
        FaultEnded,
        Noted,
    }
