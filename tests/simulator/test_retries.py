"""Runs with handlers that fail: what retries cost in instances, and who pays for a bad message."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.simulations import bursts, the_template

from tidemill.simulator.instances.handling import Failures, HandlerTime
from tidemill.simulator.queues.queued_message import Cause
from tidemill.simulator.run import simulate
from tidemill.simulator.scenario import SCENARIOS


@pytest.mark.parametrize(
    ("longest", "hours"),
    [
        pytest.param(900.0, 1.0, id="a quarter of an hour"),
        pytest.param(None, 0.22, id="the template's HoldSeconds"),
    ],
)
def test_a_retry_that_waits_holds_an_instance(longest: float | None, hours: float) -> None:
    """Eight attempts of no time, after delays of 30, 60, 120, ... s up to the longest one."""
    ours = the_template(("MaxReceiveCount", "8"))
    if longest is not None:
        ours = replace(ours, worker=replace(ours.worker, retry_delay_max=longest))
    scenario = replace(SCENARIOS["single"], failures=Failures(always=1.0))
    result = simulate(ours, scenario, 1)
    assert (result.messages.attempts, result.messages.dead, result.messages.good_dead) == (8, 1, 0)
    assert result.instances.held_seconds / 3600 == pytest.approx(hours, abs=0.02)


@pytest.mark.parametrize("pause", ["0", "60"])
def test_good_messages_are_processed_beside_bad_ones(pause: str) -> None:
    """Of 300 messages some always fail, some are too slow; all others are processed."""
    ours = the_template(("PollWaitSeconds", pause))
    work = bursts((30, 300), handler=HandlerTime(8.0, 1.0))
    result = simulate(ours, replace(work, failures=Failures(always=0.05)), 1)
    counts = result.messages
    assert (result.lost, counts.good_dead, counts.processed) == (0, 0, 300 - counts.dead)
    assert set(counts.dead_by) == {Cause.FAILED, Cause.TIMED_OUT}
    assert counts.failures == {cause: 3 * dead for cause, dead in counts.dead_by.items()}


def test_failures_by_chance_are_repaired_by_retries() -> None:
    """A tenth of the attempts fails: one message in a thousand fails three times."""
    work = replace(bursts((30, 500)), failures=Failures(failing=0.08, crashing=0.02))
    result = simulate(the_template(), work, 1)
    assert result.messages.dead <= 3
    assert result.messages.retries == pytest.approx(55, abs=20)
