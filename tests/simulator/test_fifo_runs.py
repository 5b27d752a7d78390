"""Runs with a FIFO queue: order, throughput, failures and what is said about them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from support.builders.simulations import PARAMETERS, bursts, scenarios, simulated, the_template

from tidemill.cli.simulate_output import rates
from tidemill.simulator.instances.handling import Failures, HandlerTime
from tidemill.simulator.run import USUAL_RUN, RunOptions, simulate
from tidemill.simulator.run_figures import run_figures

if TYPE_CHECKING:
    from tidemill.simulator.candidate import Candidate
    from tidemill.simulator.scenario import Scenario

SPOT = RunOptions(spot_per_hour=6.0)


FIFO = ("QueueKind", "fifo")


def fifo(ours: Candidate) -> Candidate:
    """Return the candidate with a FIFO queue."""
    return replace(ours, fleet=replace(ours.fleet, queue=replace(ours.fleet.queue, fifo=True)))


CONTINUOUS = the_template(FIFO, ("PollWaitSeconds", "0"))


@given(
    PARAMETERS.map(fifo),
    scenarios(),
    st.integers(1, 30),
    st.sampled_from([Failures(), Failures(0.2, 0.1, 0.1)]),
    st.sampled_from([USUAL_RUN, SPOT]),
)
@how(max_examples=15)
def test_every_message_is_accounted_for_in_groups_as_well(
    candidate: Candidate, scenario: Scenario, groups: int, failures: Failures, options: RunOptions
) -> None:
    """Every message sent is processed or a dead letter; none is lost and none is left."""
    scenario = replace(scenario, groups=groups, failures=failures)
    result = simulate(candidate, scenario, 1, options)
    assert (result.lost, result.left, result.messages.expired) == (0, 0, 0)
    assert result.messages.sent == sum(result.messages.first_waits.values())


@pytest.mark.parametrize("groups", [1, 3])
def test_groups_limit_what_any_fleet_can_process(groups: int) -> None:
    """One message of a group is in work at a time, so 300 of 2 s take 600 s per group."""
    scenario = replace(bursts((30, 300), handler=HandlerTime(2.0)), groups=groups)
    result = simulate(CONTINUOUS, scenario, 1)
    assert result.drained_after is not None
    assert 600 / groups < result.drained_after < 600 / groups + 240
    assert result.instances.peak > 1


def test_a_failed_message_holds_back_its_group_only() -> None:
    """With ten groups the others go on; the failed one's followers are returned untouched."""
    scenario = replace(
        bursts((30, 300), handler=HandlerTime(1.0)), groups=10, failures=Failures(always=0.02)
    )
    result, _ = simulated(CONTINUOUS, scenario)
    counts = result.messages
    assert counts.processed + counts.dead == 300
    assert min(counts.dead, counts.returned) > 0


def test_turns_are_left_out_as_rightly_with_groups() -> None:
    """With more turns, the facts are the same."""
    scenario = replace(bursts((30, 100), (2000, 50), handler=HandlerTime(3.0, 0.5)), groups=4)
    _, facts = simulated(CONTINUOUS, scenario)
    assert facts == simulated(CONTINUOUS, scenario, turn_every=23.0)[1]


def test_the_bound_of_the_groups_is_printed() -> None:
    """It says how many instances handle as much; more of them would wait for the groups."""
    scenario = replace(bursts((30, 20), handler=HandlerTime(2.0)), groups=5)
    found: dict[str, Any] = run_figures(CONTINUOUS, scenario, 1, simulate(CONTINUOUS, scenario, 1))
    assert (found["groups"], found["groups_messages_a_minute"]) == (5, 150.0)
    assert list(rates([found]))[1] == (
        "FIFO with 5 groups, one message of each at a time: at most 150 messages a minute, as many "
        "as 3 instances handle"
    )
