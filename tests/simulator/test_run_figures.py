"""The figures of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.builders.simulations import bursts, the_template

from tidemill.scaling.fault_kinds import SPOT
from tidemill.scaling.faults import Fault
from tidemill.simulator.instances.handling import Failures, HandlerTime
from tidemill.simulator.run import simulate
from tidemill.simulator.run_figures import run_figures


def test_figures_account_for_every_message() -> None:
    """Processed, dead-lettered and lost messages add up to those sent."""
    candidate, scenario = the_template(), bursts((0, 30), poison=0.3)
    found = run_figures(candidate, scenario, 1, simulate(candidate, scenario, 1))
    assert found["lost"] == 0
    assert found["sent"] == 30
    assert {**found}["processed"] == 30 - int(str(found["dead_lettered"]))


@pytest.mark.parametrize(
    ("seconds", "fault", "cut_off"),
    [
        pytest.param(20.0, None, 0, id="undisturbed"),
        pytest.param(20.0, Fault(SPOT.name, at=300.0), 0, id="finished-in-the-drain"),
        pytest.param(299.0, Fault(SPOT.name, at=300.0), 1, id="ended-at-work"),
    ],
)
def test_work_that_an_interruption_cuts_off_is_counted(
    seconds: float, fault: Fault | None, cut_off: int
) -> None:
    """The instance counts once; its messages are those that others have to receive again."""
    candidate = the_template(("MessageSeconds", "300"))
    scenario = bursts((30, 10), handler=HandlerTime(seconds))
    scenario = replace(scenario, faults=[fault] if fault else [])
    found = run_figures(candidate, scenario, 1, simulate(candidate, scenario, 1))
    assert found["cut_off_instances"] == cut_off
    assert (int(str(found["cut_off_messages"])) > 0) is (cut_off > 0)
    assert (found["processed"], found["lost"]) == (10, 0)
    assert (found["returned_messages"], found["dead_lettered_good"]) == (0, 0)


def test_failures_are_counted_by_their_kind() -> None:
    """Attempts are those that processed a message and those that did not."""
    candidate = the_template()
    failures = Failures(failing=0.2, crashing=0.05, always=0.1)
    scenario = replace(bursts((30, 100), poison=0.1, handler=HandlerTime(1.0)), failures=failures)
    found: dict[str, Any] = run_figures(candidate, scenario, 1, simulate(candidate, scenario, 1))
    failed = found["failed_attempts"]
    assert min(failed["failed"], failed["crashed"], failed["invalid"]) > 0
    assert found["attempts"] == found["processed"] + sum(failed.values())
    assert found["retries"] == found["attempts"] - found["sent"]
    assert sum(found["dead_lettered_by"].values()) == found["dead_lettered"] > 0
    assert found["held_instance_hours"] > 0


def test_the_time_to_drain_counts_from_a_message_that_is_there_at_the_start() -> None:
    """The first turn already takes it; an hour later another one follows."""
    candidate, scenario = the_template(), bursts((0, 1), (3600, 1))
    figures = run_figures(candidate, scenario, 1, simulate(candidate, scenario, 1))
    assert float(str(figures["seconds_to_drain"])) > 3600
