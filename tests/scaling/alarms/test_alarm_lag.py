"""The lag of alarms: how long after a minute's end they see its datapoints."""

from __future__ import annotations

import pytest
from support.builders.fleets import product_fleet
from support.fakes.worlds import START, FakeQueue, FakeWorld, Run

from tidemill.scaling.facts import AlarmChanged
from tidemill.scaling.times.catalogue import USUAL


@pytest.mark.parametrize(
    ("lag", "seconds"),
    [
        pytest.param(6.0, 66.0, id="the usual lag"),
        pytest.param(0.0, 60.0, id="no lag"),
        pytest.param(37.0, 97.0, id="within a minute"),
        pytest.param(66.0, 126.0, id="a minute and the usual lag"),
        pytest.param(200.0, 260.0, id="more than three minutes"),
    ],
)
def test_an_alarm_sees_a_minute_after_its_lag(lag: float, seconds: float) -> None:
    """A message sent at once is in the datapoint of the first minute, which ends after 60 s."""
    fleet = product_fleet().under(USUAL.exactly({"alarm_lag": lag}))
    run = Run(fleet, FakeWorld(FakeQueue(visible=1), rate=0))
    run.go(400, every=1)
    changed = next(fact for fact in run.of_kind(AlarmChanged) if fact.after == "ALARM")
    assert changed.at - START == pytest.approx(seconds)
