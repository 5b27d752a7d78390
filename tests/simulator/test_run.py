"""Whole runs: what must hold whatever happens, and what the named scenarios come to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, given
from hypothesis import settings as how
from hypothesis import strategies as st
from support.builders.stories import (
    PARAMETERS,
    bursts,
    simulated,
    stories,
    the_template,
    with_turns_left_out,
)

from tidemill.scaling.facts import CapacitySampled, DesiredChanged, InstanceChanged
from tidemill.scaling.spec import AdjustmentType, StepAdjustment, StepScalingPolicy, WarmPool
from tidemill.simulator.candidate import Candidate  # noqa: TC001 - hypothesis reads annotations
from tidemill.simulator.comparison.rival_policies import rivals
from tidemill.simulator.instances.handling import HandlerTime
from tidemill.simulator.run import RunOptions, simulate
from tidemill.simulator.scenario import SCENARIOS, Scenario, constant
from tidemill.simulator.times import Times

if TYPE_CHECKING:
    from tidemill.scaling.facts import Fact


def a_rival(chosen: tuple[Candidate, int]) -> Candidate:
    """Return one of the policies that the template's is compared with."""
    ours, number = chosen
    every = list(rivals(ours, 50))
    return every[number % len(every)]


FEW = how(max_examples=25)
NO_SHRINKING = [phase for phase in Phase if phase is not Phase.shrink]
"""Stories are small enough as they are, and each try takes two runs."""

SPOT = Times(spot_per_hour=6.0)


@given(PARAMETERS, stories(), st.integers(0, 3), st.sampled_from([Times(), SPOT]))
@FEW
def test_every_message_is_accounted_for(
    candidate: Candidate, story: Scenario, seed: int, times: Times
) -> None:
    """What was sent is processed or dead, nothing is lost and nothing is left."""
    result = simulate(candidate, story, seed, RunOptions(times))
    assert result.lost == 0
    assert (result.left, result.messages.expired) == (0, 0)
    assert result.messages.processed == sum(result.messages.waits.values())
    assert result.messages.sent == sum(result.messages.first_waits.values())


@given(PARAMETERS, stories(), st.integers(0, 3))
@FEW
def test_capacity_stays_within_its_bounds_and_ends_at_none(
    candidate: Candidate, story: Scenario, seed: int
) -> None:
    """The group never wants or has more than its maximum; all are gone in the end."""
    result, facts = simulated(candidate, story, seed=seed)
    group = candidate.fleet.group
    wanted = [fact.after for fact in facts if isinstance(fact, DesiredChanged)]
    assert all(group.min_size <= number <= group.max_size for number in wanted)
    assert result.instances.peak <= result.instances.launches
    states = {f.instance: f.state for f in facts if isinstance(f, InstanceChanged)}
    assert set(states.values()) <= {"Terminated"}
    sampled = [f.in_service + f.pending for f in facts if isinstance(f, CapacitySampled)]
    assert max(sampled) <= group.max_size


@given(PARAMETERS, stories(), st.integers(0, 3), st.sampled_from([Times(), SPOT]))
@FEW
def test_a_seed_has_one_run(candidate: Candidate, story: Scenario, seed: int, times: Times) -> None:
    """The same seed makes the same facts and figures again."""
    again = simulated(candidate, story, seed=seed, times=times)
    assert simulated(candidate, story, seed=seed, times=times) == again


@given(
    st.one_of(PARAMETERS, st.tuples(PARAMETERS, st.integers(1, 5)).map(a_rival)),
    stories(),
    st.integers(0, 3),
    st.sampled_from([Times(), SPOT, Times(spread=0.0)]),
    st.sampled_from([60.0, 23.0, 7.0]),
)
@how(max_examples=30, phases=NO_SHRINKING)
def test_turns_that_are_left_out_would_have_changed_nothing(
    candidate: Candidate, story: Scenario, seed: int, times: Times, turn_every: float
) -> None:
    """However often turns are taken, the same happens; only how many were taken differs."""
    swift, facts = simulated(candidate, story, seed=seed, times=times)
    slow, all_facts = simulated(candidate, story, seed=seed, times=times, turn_every=turn_every)
    assert facts == all_facts
    assert swift.messages.waits == slow.messages.waits
    assert swift.instances.billed_seconds == slow.instances.billed_seconds
    assert swift.turns <= slow.turns


@pytest.mark.parametrize("candidate", with_turns_left_out(), ids=lambda candidate: candidate.name)
@given(story=stories(), seed=st.integers(0, 3), turn_every=st.sampled_from([60.0, 7.0]))
@how(max_examples=6, phases=NO_SHRINKING)
def test_turns_of_other_templates_are_left_out_as_rightly(
    candidate: Candidate, story: Scenario, seed: int, turn_every: float
) -> None:
    """With several alarms, other policies, schedules, hooks and warm pools."""
    runs = []
    for every in (None, turn_every):
        facts: list[Fact] = []
        options = RunOptions(drain=False, turn_every=every)
        simulate(candidate, story, seed, options, facts.extend)
        runs.append(facts)
    assert runs[0] == runs[1]


def test_what_one_alarm_leaves_as_it_is_another_one_changes() -> None:
    """At the same capacity, and each in the first step of its policy."""
    changes = (("MessagesPerPoll", "100"), ("WarmupSeconds", "0"))
    ours = a_rival((the_template(*changes), 3))
    out, back = ours.fleet.policies
    assert isinstance(out, StepScalingPolicy)
    exact = replace(
        out,
        adjustment_type=AdjustmentType.EXACT,
        steps=(StepAdjustment(0, 50, 1), StepAdjustment(50, None, 3)),
    )
    candidate = replace(ours, fleet=replace(ours.fleet, policies=(exact, back)))
    story = bursts((30, 25), (900, 100))
    _, facts = simulated(candidate, story)
    _, all_facts = simulated(candidate, story, turn_every=60.0)
    assert facts == all_facts
    sizes = [fact.after for fact in facts if isinstance(fact, DesiredChanged)]
    assert sizes == [1, 0, 3, 2, 1, 0]


@pytest.mark.long
@pytest.mark.parametrize("quiet", [1.0, 5.9, 6.1, 9.0])
def test_long_runs_leave_out_turns_as_rightly_as_short_ones(quiet: float) -> None:
    """Two days of messages with so many quiet hours between them: the queue sleeps, or does not."""
    hours = [quiet * number for number in range(int(48 / quiet))]
    story = bursts(*((hour * 3600 + 7.5, 12) for hour in hours), seconds=48 * 3600)
    candidate = the_template(("HoldSeconds", "1800"))
    _, facts = simulated(candidate, story)
    _, all_facts = simulated(candidate, story, turn_every=60.0)
    assert facts == all_facts


def test_a_day_of_work_keeps_the_queue_awake() -> None:
    """A queue that is in use all the time never falls asleep, however long it is."""
    story = Scenario("steady", "", constant(0.05, 30 * 3600), seconds=30 * 3600)
    _, facts = simulated(the_template(), story)
    _, all_facts = simulated(the_template(), story, turn_every=60.0)
    assert facts == all_facts


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_named_scenario_is_worked_off(name: str) -> None:
    """The default template gets through with each of them, and goes back to none."""
    result = simulate(the_template(), SCENARIOS[name], seed=1)
    assert (result.left, result.messages.expired, result.lost) == (0, 0, 0)
    assert result.messages.sent
    assert result.instances.launches


def test_one_message_wakes_a_fleet_at_zero() -> None:
    """It is processed within an evaluation, a boot and a bit, and nothing stays behind."""
    result = simulate(the_template(), SCENARIOS["single"], seed=1)
    assert (
        result.messages.processed,
        result.instances.launches,
        result.instances.idle_launches,
    ) == (1, 1, 0)
    assert result.drained_after is not None
    assert 60 < result.drained_after < 60 + 6 + 75


def test_a_queue_that_fell_asleep_wakes_up_late() -> None:
    """After seven quiet hours the first metric comes a quarter of an hour after the message.

    The template's own queue never falls asleep.
    """
    ours = the_template()
    queue = replace(ours.fleet.queue, kept_awake=False)
    asleep = replace(ours, fleet=replace(ours.fleet, queue=queue))
    drained = [
        simulate(candidate, SCENARIOS["asleep"], seed=1).drained_after
        for candidate in (asleep, ours)
    ]
    assert drained[0] is not None
    assert drained[1] is not None
    assert 15 * 60 < drained[0] < 18 * 60
    assert drained[1] < 60 + 6 + 75


def test_poison_ends_in_the_dead_letter_queue() -> None:
    """Every poison message dies, and every sound one is processed all the same."""
    result = simulate(the_template(), bursts((0, 100), poison=0.25), seed=3)
    assert result.messages.dead > 10
    assert result.messages.processed == 100 - result.messages.dead


def test_a_spot_interruption_loses_nothing() -> None:
    """Work that an interruption cuts short comes again, as long as it may be received again."""
    candidate = the_template(("MessageSeconds", "300"), ("MaxReceiveCount", "100"))
    story = bursts((0, 40), handler=HandlerTime(200.0))
    result = simulate(candidate, story, 1, RunOptions(Times(spot_per_hour=4.0)))
    assert result.messages.processed == 40
    assert result.instances.launches > result.instances.peak


def test_messages_come_alike_whatever_the_fleet_does() -> None:
    """Another fleet sees the same arrivals, so that policies can be compared."""
    tide = SCENARIOS["tide"]
    one = simulate(the_template(), tide, seed=5)
    other = simulate(the_template(("MaxInstances", "2")), tide, seed=5)
    assert one.messages.sent == other.messages.sent
    assert one.messages.waits != other.messages.waits


@pytest.mark.parametrize("state", ["Stopped", "Running"])
def test_a_warm_pool_serves_sooner_and_loses_nothing(state: str) -> None:
    """Prepared instances need no boot of their own; the pool fills again in the end."""
    cold = the_template()
    group = replace(cold.fleet.group, warm_pool=WarmPool(state=state))
    warm = replace(cold, fleet=replace(cold.fleet, group=group))
    story = bursts((1800, 200))
    late = simulate(cold, story, seed=1)
    soon, facts = simulated(warm, story)
    assert (soon.messages.processed, soon.lost) == (200, 0)
    assert facts == simulated(warm, story, turn_every=7.0)[1]
    assert sum(soon.messages.first_waits.elements()) < sum(late.messages.first_waits.elements())
