"""How waits move if a time that is not well known is half or twice as long."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from support.builders.simulations import bursts, the_template

from tidemill.scaling.spec import WarmPool
from tidemill.scaling.times.catalogue import UNCERTAIN, USUAL, Grade
from tidemill.simulator.run import RunOptions, simulate
from tidemill.simulator.scenario import SCENARIOS
from tidemill.simulator.sensitivity import effects, is_short, uncertain
from tidemill.simulator.waits import percentiles

ONE = bursts((30.0, 1))


def test_one_message_waits_as_much_longer_as_its_boot() -> None:
    """A stage of the boot delays a single message by as many seconds as it becomes longer."""
    found = {one.time: one for one in effects(the_template(), ONE, 1, RunOptions())}
    drawn = found["installs"]
    assert drawn.p95 is not None
    assert drawn.p95_halved is not None
    assert drawn.p95_doubled is not None
    shorter, longer = drawn.p95 - drawn.p95_halved, drawn.p95_doubled - drawn.p95
    assert longer == pytest.approx(2 * shorter, abs=0.3)
    assert 15 <= longer <= 35


def test_a_time_after_the_work_moves_nothing() -> None:
    """How long a terminated instance takes to disappear does not delay a message."""
    found = {one.time: one for one in effects(the_template(), ONE, 1, RunOptions())}
    ended = found["terminate"]
    assert ended.p95 == ended.p95_halved == ended.p95_doubled
    assert ended.grade == "polled"
    assert ended.seconds == pytest.approx(USUAL.terminate.mean, abs=0.01)


def test_the_short_run_has_the_waits_of_the_whole_scenario() -> None:
    """A quiet end adds only costs."""
    candidate, scenario = the_template(), SCENARIOS["burst"]
    whole = percentiles(simulate(candidate, scenario, 3).messages.waits)["p95"]
    assert next(effects(candidate, scenario, 3, RunOptions())).p95 == whole


def test_only_times_that_matter_and_are_not_well_known_are_tried() -> None:
    """A restart matters with a warm pool, a boot of exact seconds has no installs."""
    fleet = the_template().fleet
    names = uncertain(USUAL, fleet)
    assert {dict(USUAL.named())[name].grade for name in names} == set(UNCERTAIN)
    assert "installs" in names
    assert "restart" not in names
    pooled = replace(fleet, group=replace(fleet.group, warm_pool=WarmPool(1)))
    assert "restart" in uncertain(USUAL, pooled)
    assert "installs" not in uncertain(USUAL.with_boot(60.0), fleet)
    known = replace(USUAL, installs=replace(USUAL.installs, grade=Grade.FINE))
    assert "installs" not in uncertain(known, fleet)


@pytest.mark.parametrize(
    ("scenario", "short"), [("single", True), ("ramp", True), ("asleep", False), ("tide", False)]
)
def test_a_scenario_is_short_if_its_messages_are_sent_early(scenario: str, *, short: bool) -> None:
    """Within two hours."""
    assert is_short(SCENARIOS[scenario], 1) is short


def test_the_page_names_the_largest_effect() -> None:
    """docs/simulator.md says which time matters most to a single message, and by how much."""
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()
    found = re.search(r"`single`, `(\w+)` moves p95 by (-\d+) and (\+\d+) s, more than", page)
    assert found is not None
    every = list(effects(the_template(), SCENARIOS["single"], 1, RunOptions()))
    largest = max(every, key=lambda one: (one.p95_doubled or 0) - (one.p95_halved or 0))
    moved = [
        round((one or 0) - (largest.p95 or 0)) for one in (largest.p95_halved, largest.p95_doubled)
    ]
    assert found.groups() == (largest.time, *(f"{one:+}" for one in moved))
