"""Whole runs: what must hold whatever happens, and what the named scenarios come to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from support.builders.simulations import (
    PARAMETERS,
    bursts,
    scenarios,
    simulated,
    the_template,
)

from tidemill.scaling.facts import CapacitySampled, DesiredChanged, InstanceChanged
from tidemill.scaling.group.hooks import ABANDON
from tidemill.scaling.spec import WarmPool
from tidemill.simulator.candidate import Candidate  # noqa: TC001 - hypothesis reads annotations
from tidemill.simulator.instances.handling import HandlerTime
from tidemill.simulator.run import USUAL_RUN, RunOptions, simulate
from tidemill.simulator.scenario import SCENARIOS, Scenario

FEW = how(max_examples=25)

SPOT = RunOptions(spot_per_hour=6.0)


@given(PARAMETERS, scenarios(), st.integers(0, 3), st.sampled_from([USUAL_RUN, SPOT]))
@FEW
def test_every_message_is_accounted_for(
    candidate: Candidate, scenario: Scenario, seed: int, options: RunOptions
) -> None:
    """Every message sent is processed or a dead letter; none is lost and none is left."""
    result = simulate(candidate, scenario, seed, options)
    assert result.lost == 0
    assert (result.left, result.messages.expired) == (0, 0)
    assert result.messages.processed == sum(result.messages.waits.values())
    assert result.messages.sent == sum(result.messages.first_waits.values())


@given(PARAMETERS, scenarios(), st.integers(0, 3))
@FEW
def test_capacity_stays_within_its_bounds_and_ends_at_none(
    candidate: Candidate, scenario: Scenario, seed: int
) -> None:
    """The group never exceeds its maximum, and all instances are terminated at the end."""
    result, facts = simulated(candidate, scenario, seed=seed)
    group = candidate.fleet.group
    wanted = [fact.after for fact in facts if isinstance(fact, DesiredChanged)]
    assert all(group.min_size <= number <= group.max_size for number in wanted)
    assert result.instances.peak <= result.instances.launches
    states = {f.instance: f.state for f in facts if isinstance(f, InstanceChanged)}
    assert set(states.values()) <= {"Terminated"}
    sampled = [f.in_service + f.pending for f in facts if isinstance(f, CapacitySampled)]
    assert max(sampled) <= group.max_size


@given(PARAMETERS, scenarios(), st.integers(0, 3), st.sampled_from([USUAL_RUN, SPOT]))
@FEW
def test_a_seed_has_one_run(
    candidate: Candidate, scenario: Scenario, seed: int, options: RunOptions
) -> None:
    """Two runs with the same seed have the same facts and figures."""
    again = simulated(candidate, scenario, seed=seed, options=options)
    assert simulated(candidate, scenario, seed=seed, options=options) == again


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_named_scenario_is_drained(name: str) -> None:
    """The default template processes all messages of each scenario and scales in to 0."""
    result = simulate(the_template(), SCENARIOS[name], seed=1)
    assert (result.left, result.messages.expired, result.lost) == (0, 0, 0)
    assert result.messages.sent
    assert result.instances.launches


def test_one_message_wakes_a_fleet_at_zero() -> None:
    """The message is processed within an evaluation and a boot, by one instance."""
    result = simulate(the_template(), SCENARIOS["single"], seed=1)
    assert (
        result.messages.processed,
        result.instances.launches,
        result.instances.idle_launches,
    ) == (1, 1, 0)
    assert result.drained_after is not None
    assert 60 < result.drained_after < 60 + 6 + 75


def test_an_inactive_queue_publishes_late() -> None:
    """After seven quiet hours the first metric appears 15 minutes after the message.

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
    """Every poison message becomes a dead letter, and every valid one is processed."""
    result = simulate(the_template(), bursts((0, 100), poison=0.25), seed=3)
    assert result.messages.dead > 10
    assert result.messages.processed == 100 - result.messages.dead


def test_a_spot_interruption_loses_nothing() -> None:
    """Messages of an interrupted instance are received again and processed."""
    candidate = the_template(("MessageSeconds", "300"), ("MaxReceiveCount", "100"))
    scenario = bursts((0, 40), handler=HandlerTime(200.0))
    result = simulate(candidate, scenario, 1, RunOptions(spot_per_hour=4.0))
    assert result.messages.processed == 40
    assert result.instances.launches > result.instances.peak


def test_messages_arrive_alike_whatever_the_fleet_does() -> None:
    """Two fleets get the same arrivals, so that policies can be compared."""
    tide = SCENARIOS["tide"]
    one = simulate(the_template(), tide, seed=5)
    other = simulate(the_template(("MaxInstances", "2")), tide, seed=5)
    assert one.messages.sent == other.messages.sent
    assert one.messages.waits != other.messages.waits


@pytest.mark.parametrize("state", ["Stopped", "Running"])
def test_a_warm_pool_serves_sooner_and_loses_nothing(state: str) -> None:
    """Prepared instances need no boot, so messages wait less than without a warm pool."""
    cold = the_template()
    group = replace(cold.fleet.group, warm_pool=WarmPool(state=state))
    warm = replace(cold, fleet=replace(cold.fleet, group=group))
    scenario = bursts((1800, 200))
    late = simulate(cold, scenario, seed=1)
    soon, facts = simulated(warm, scenario)
    assert (soon.messages.processed, soon.lost) == (200, 0)
    assert facts == simulated(warm, scenario, turn_every=7.0)[1]
    assert sum(soon.messages.first_waits.elements()) < sum(late.messages.first_waits.elements())


def test_a_retained_instance_is_billed_to_the_end() -> None:
    """No worker drains in the second that the hook allows: the run ends, the bill is higher."""
    ours = the_template()
    hooks = tuple(
        replace(hook, heartbeat_timeout=1, default_result=ABANDON)
        for hook in ours.fleet.group.hooks
    )
    busy = bursts((0, 60), handler=HandlerTime(5.0), seconds=7200)
    results = {}
    for retains in (False, True):
        group = replace(ours.fleet.group, hooks=hooks, retains=retains)
        candidate = replace(ours, fleet=replace(ours.fleet, group=group))
        results[retains], _ = simulated(candidate, busy)
    assert results[False].retained == 0
    assert results[True].retained == results[True].instances.launches > 0
    assert results[True].seconds == results[False].seconds
    more = results[True].instances.billed_seconds - results[False].instances.billed_seconds
    assert more > 3600
