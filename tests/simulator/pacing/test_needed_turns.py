"""Turns of the loop that are left out would have changed nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, given
from hypothesis import settings as how
from hypothesis import strategies as st
from support.builders.simulations import (
    PARAMETERS,
    bursts,
    scenarios,
    simulated,
    the_template,
    with_turns_left_out,
)

from tidemill.scaling.facts import DesiredChanged
from tidemill.scaling.spec import AdjustmentType, StepAdjustment, StepScalingPolicy
from tidemill.scaling.times.catalogue import USUAL
from tidemill.simulator.candidate import Candidate  # noqa: TC001 - hypothesis reads annotations
from tidemill.simulator.comparison.rival_policies import rivals
from tidemill.simulator.run import USUAL_RUN, RunOptions, simulate
from tidemill.simulator.scenario import Scenario, constant

if TYPE_CHECKING:
    from tidemill.scaling.facts import Fact


def a_rival(chosen: tuple[Candidate, int]) -> Candidate:
    """Return one of the policies that the template's is compared with."""
    ours, number = chosen
    every = list(rivals(ours, 50))
    return every[number % len(every)]


NO_SHRINKING = [phase for phase in Phase if phase is not Phase.shrink]
"""Scenarios are small enough as they are, and each try takes two runs."""

SPOT = RunOptions(spot_per_hour=6.0)
CONSTANT = RunOptions(USUAL.exactly({name: time.mean for name, time in USUAL.named()}))
OTHER_LAG = RunOptions(USUAL.exactly({"alarm_lag": 37.0, "wake_up": 200.0}))


@given(
    st.one_of(PARAMETERS, st.tuples(PARAMETERS, st.integers(1, 7)).map(a_rival)),
    scenarios(),
    st.integers(0, 3),
    st.sampled_from([USUAL_RUN, SPOT, CONSTANT, OTHER_LAG]),
    st.sampled_from([60.0, 23.0, 7.0]),
)
@how(max_examples=30, phases=NO_SHRINKING)
def test_turns_that_are_left_out_would_have_changed_nothing(
    candidate: Candidate, scenario: Scenario, seed: int, options: RunOptions, turn_every: float
) -> None:
    """With more turns, the facts and the result are the same, but for the number of turns."""
    swift, facts = simulated(candidate, scenario, seed=seed, options=options)
    slow, all_facts = simulated(
        candidate, scenario, seed=seed, options=options, turn_every=turn_every
    )
    assert facts == all_facts
    assert swift.messages.waits == slow.messages.waits
    assert swift.instances.billed_seconds == slow.instances.billed_seconds
    assert swift.turns <= slow.turns


@pytest.mark.parametrize("candidate", with_turns_left_out(), ids=lambda candidate: candidate.name)
@given(scenario=scenarios(), seed=st.integers(0, 3), turn_every=st.sampled_from([60.0, 7.0]))
@how(max_examples=6, phases=NO_SHRINKING)
def test_turns_of_other_templates_are_left_out_as_rightly(
    candidate: Candidate, scenario: Scenario, seed: int, turn_every: float
) -> None:
    """The example templates have several alarms, other policies, schedules, hooks and pools."""
    runs = []
    for every in (None, turn_every):
        facts: list[Fact] = []
        options = RunOptions(drain=False, turn_every=every)
        simulate(candidate, scenario, seed, options, facts.extend)
        runs.append(facts)
    assert runs[0] == runs[1]


def test_what_one_alarm_leaves_as_it_is_another_one_changes() -> None:
    """Two alarms in the first steps of their policies are distinguished at the same capacity."""
    changes = (("MessagesPerPoll", "100"), ("WarmupSeconds", "0"))
    ours = next(one for one in rivals(the_template(*changes), 50) if one.name == "one by one")
    out, back = ours.fleet.policies
    assert isinstance(out, StepScalingPolicy)
    exact = replace(
        out,
        adjustment_type=AdjustmentType.EXACT,
        steps=(StepAdjustment(0, 50, 1), StepAdjustment(50, None, 3)),
    )
    candidate = replace(ours, fleet=replace(ours.fleet, policies=(exact, back)))
    scenario = bursts((30, 25), (900, 100))
    _, facts = simulated(candidate, scenario)
    _, all_facts = simulated(candidate, scenario, turn_every=60.0)
    assert facts == all_facts
    sizes = [fact.after for fact in facts if isinstance(fact, DesiredChanged)]
    assert sizes == [1, 0, 3, 2, 1, 0]


@pytest.mark.long
@pytest.mark.parametrize("quiet", [1.0, 5.9, 6.1, 9.0])
def test_long_runs_leave_out_turns_as_rightly_as_short_ones(quiet: float) -> None:
    """Two days of messages with quiet hours between them, with and without an inactive queue."""
    hours = [quiet * number for number in range(int(48 / quiet))]
    scenario = bursts(*((hour * 3600 + 7.5, 12) for hour in hours), seconds=48 * 3600)
    candidate = the_template(("HoldSeconds", "1800"))
    _, facts = simulated(candidate, scenario)
    _, all_facts = simulated(candidate, scenario, turn_every=60.0)
    assert facts == all_facts


def test_a_day_of_work_keeps_the_queue_awake() -> None:
    """A queue that is always in use stays active."""
    scenario = Scenario("steady", "", constant(0.05, 30 * 3600), seconds=30 * 3600)
    _, facts = simulated(the_template(), scenario)
    _, all_facts = simulated(the_template(), scenario, turn_every=60.0)
    assert facts == all_facts
