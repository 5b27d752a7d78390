"""The loop under faults of metrics and of alarms: what alarms see, and when."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.alarms import an_alarm
from support.builders.fleets import a_fleet
from support.fakes.worlds import MINUTE, START, Run

from tidemill.scaling.facts import AlarmChanged, FaultBegan, FaultEnded, QueueSampled
from tidemill.scaling.faults import Fault
from tidemill.scaling.metrics.fault_windows import FaultWindows

EVER = {"for_minutes": 0.0}
ONE_OF_ONE = {"evaluation_periods": 1, "datapoints_to_alarm": 1}


def a_run(*faults: Fault, periods: int = 1) -> Run:
    """Return a run with an alarm on more than 10 visible messages, one in so many minutes.

    The faults' times are in seconds from the start.
    """
    alarm = an_alarm(evaluation_periods=periods, datapoints_to_alarm=1)
    run = Run(a_fleet(alarms=(alarm,)))
    planned = tuple(replace(fault, at=START + fault.at) for fault in faults)
    run.memory = replace(run.memory, faults=FaultWindows(planned))
    return run


def alarm_at(run: Run) -> list[float]:
    """Return when the alarm went to ALARM, in seconds from the start."""
    return [fact.at - START for fact in run.of_kind(AlarmChanged) if fact.after == "ALARM"]


@pytest.mark.parametrize(
    ("fault", "at"),
    [
        pytest.param(None, 66, id="none"),
        pytest.param(Fault("metrics-late", parameters={**EVER, "late_minutes": 1.0}), 126, id="1"),
        pytest.param(Fault("metrics-late", parameters={**EVER, "late_minutes": 5.0}), 366, id="5"),
        pytest.param(
            Fault("metrics-late", parameters={**EVER, "late_minutes": 15.0}), 966, id="15"
        ),
        pytest.param(Fault("metrics-missing", parameters={"for_minutes": 4.0}), 246, id="missing"),
        pytest.param(
            Fault("metrics-irregular", parameters={**EVER, "share": 1.0}), 126, id="moved"
        ),
        pytest.param(
            Fault("alarms-late", parameters={**EVER, "late_minutes": 5.0}), 366, id="late"
        ),
        pytest.param(Fault("alarms-late", "OtherAlarm", parameters=EVER), 66, id="other-alarm"),
    ],
)
def test_an_alarm_sees_messages_as_late_as_the_fault_says(fault: Fault | None, at: int) -> None:
    """The queue has messages from the first second on; the alarm looks back far enough."""
    run = a_run(*([fault] if fault else []), periods=20)
    run.queue.visible = 50
    run.go(20 * MINUTE)
    assert alarm_at(run) == [at]


def test_an_alarm_of_one_period_never_sees_what_is_later_than_its_evaluation_range() -> None:
    """It looks back over three minutes, and each of its datapoints is five minutes old."""
    run = a_run(Fault("metrics-late", parameters={**EVER, "late_minutes": 5.0}))
    run.queue.visible = 50
    run.go(30 * MINUTE)
    assert alarm_at(run) == []


def test_a_late_alarm_decides_by_the_minute_that_it_should_have_seen() -> None:
    """Messages of one minute only are in the alarm's window five minutes later."""
    run = a_run(Fault("alarms-late", parameters={**EVER, "late_minutes": 5.0}))
    run.queue.visible = 50
    run.go(MINUTE)
    run.queue.visible = 0
    run.go(10 * MINUTE)
    changes = [(fact.at - START, fact.after) for fact in run.of_kind(AlarmChanged)]
    assert changes == [(306 + MINUTE, "ALARM"), (306 + 2 * MINUTE, "OK")]
    changed = run.memory.watches["BacklogAlarm"].memory
    assert changed.since == START + 306 + 2 * MINUTE


def test_after_the_fault_alarms_are_evaluated_on_time_again() -> None:
    """No evaluation is late once it has ended, and both ends are facts."""
    fault = Fault("alarms-late", at=30, parameters={"late_minutes": 5.0, "for_minutes": 3.0})
    run = a_run(fault)
    run.go(2 * MINUTE)
    run.queue.visible = 50
    run.go(3 * MINUTE)
    assert alarm_at(run) == [246]
    (begun,), (ended,) = run.of_kind(FaultBegan), run.of_kind(FaultEnded)
    assert (begun.at - START, ended.at - START) == (30, 30 + 3 * MINUTE)


def test_a_phantom_message_is_in_the_metrics_and_not_in_the_queue() -> None:
    """The facts have the queue as it is."""
    run = a_run(Fault("phantom-in-flight", parameters=EVER))
    run.go(MINUTE)
    names = {one.metric.name for turn in run.turns for one in turn.datapoints}
    assert "ApproximateNumberOfMessagesNotVisible" in names
    assert [(fact.visible, fact.in_flight) for fact in run.of_kind(QueueSampled)] == [(0, 0)]


def test_listeners_get_a_datapoint_when_cloudwatch_has_it() -> None:
    """A rig copies datapoints into its local CloudWatch, where they are as late."""
    late = Fault("metrics-late", "visible", parameters={**EVER, "late_minutes": 2.0})
    run = a_run(late)
    run.go(4 * MINUTE)
    seen = [
        (turn.memory.at - START, one.timestamp - START)
        for turn in run.turns
        for one in turn.datapoints
        if one.metric.name == "ApproximateNumberOfMessagesVisible"
    ]
    assert seen == [(180, 0), (240, 60)]
