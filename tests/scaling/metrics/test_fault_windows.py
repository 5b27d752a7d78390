"""Windows of faults: their begin, their end, and the facts about both."""

from __future__ import annotations

import pytest
from support.builders.alarms import an_alarm

from tidemill.scaling.errors import FaultError
from tidemill.scaling.facts import FaultBegan, FaultEnded
from tidemill.scaling.fault_kinds import ALARMS_LATE, METRICS_LATE, SPOT
from tidemill.scaling.faults import Fault
from tidemill.scaling.metrics.fault_windows import NO_FAULTS, FaultWindows, is_windowed

LATE = Fault(METRICS_LATE.name, "visible", 100.0, {"for_minutes": 1.0})
ALWAYS = Fault(ALARMS_LATE.name, at=130.0, parameters={"for_minutes": 0.0})


def test_a_fault_begins_and_ends_once() -> None:
    """Each change has a fact; a fault without an end stays."""
    windows = NO_FAULTS.plan(LATE, (), 0).plan(ALWAYS, (), 0)
    changes, facts = [], []
    while (now := windows.next_change()) < 1e9:
        changes.append(now)
        windows, begun = windows.begin_due(now)
        windows, ended = windows.end_due(now)
        facts += [*begun, *ended]
    assert changes == [100, 130, 160]
    assert facts == [
        FaultBegan(100, "metrics-late", "visible", {"for_minutes": 1.0}),
        FaultBegan(130, "alarms-late", "", {"for_minutes": 0.0}),
        FaultEnded(160, "metrics-late", "visible"),
    ]
    assert windows == FaultWindows(active=(ALWAYS,))


def test_a_turn_that_is_late_still_has_the_whole_window() -> None:
    """A window between two turns is over after the second one; the facts have its own times."""
    begun, facts = FaultWindows((LATE,)).begin_due(500)
    assert begun.active == (LATE,)
    assert [fact.at for fact in (*facts, *begun.end_due(500)[1])] == [100, 160]


def test_the_loop_has_the_faults_of_metrics_and_alarms_only() -> None:
    """What happens to an instance is the world's; a kind that does not exist is nobody's."""
    assert [is_windowed(one) for one in (LATE, ALWAYS, Fault(SPOT.name), Fault("meteor"))] == [
        True,
        True,
        False,
        False,
    ]


def test_an_alarm_that_does_not_exist_is_a_problem() -> None:
    """The sentence has the alarms of the fleet, if it has any."""
    alarm = an_alarm()
    fault = Fault(ALARMS_LATE.name, "Backlog")
    for alarms, choice in (([alarm], "choose one of BacklogAlarm"), ([], "it has none that")):
        with pytest.raises(FaultError, match=f"the fleet has no alarm Backlog: {choice}"):
            NO_FAULTS.plan(fault, alarms, 0)
    named = Fault(ALARMS_LATE.name, alarm.logical_id)
    assert NO_FAULTS.plan(named, [alarm], 0).planned == (named,)


def test_a_fault_whose_time_is_over_begins_now() -> None:
    """A rig gets a fault without a time: it begins at once."""
    assert NO_FAULTS.plan(LATE, (), 500).next_change() == 500
