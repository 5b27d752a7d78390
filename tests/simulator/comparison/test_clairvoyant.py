"""The bounds that no policy can beat, against policies that try."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from support.builders.simulations import PARAMETERS, scenarios, the_template

from consumer.cycle import Rhythm
from tidemill.scaling.times.catalogue import USUAL
from tidemill.simulator.candidate import Candidate  # noqa: TC001 - hypothesis reads annotations
from tidemill.simulator.comparison.clairvoyant import Bounds, bounds
from tidemill.simulator.comparison.rival_policies import rivals
from tidemill.simulator.run import simulate
from tidemill.simulator.scenario import Scenario  # noqa: TC001 - hypothesis reads annotations
from tidemill.simulator.waits import mean

SLACK = 0.1
"""Waits are rounded down to a tenth of a second."""


@given(PARAMETERS, scenarios(), st.integers(0, 5), st.integers(0, 2))
@how(max_examples=40)
def test_no_policy_beats_the_bounds(
    candidate: Candidate, scenario: Scenario, number: int, seed: int
) -> None:
    """Under every policy, messages wait at least as long and instances cost at least as much."""
    every = list(rivals(candidate, 50))
    rival = every[number % len(every)]
    result = simulate(rival, scenario, seed)
    times = USUAL
    least = bounds(
        scenario.arrivals(None),  # type: ignore[arg-type]  # bursts draw nothing
        candidate.worker.rhythm,
        candidate.fleet.group.max_size,
        times,
    )
    assert least.billed_seconds <= result.instances.billed_seconds
    assert (mean(least.waits) or 0) <= (mean(result.messages.first_waits) or 0) + SLACK
    assert max(least.waits) <= max(result.messages.first_waits) + 1


@pytest.mark.parametrize(
    ("sent", "instances", "waits"),
    [
        pytest.param(20, 2, {0: 20}, id="all fit into one poll each"),
        pytest.param(45, 2, {0: 20, 300: 20, 600: 5}, id="the rest waits for the next polls"),
        pytest.param(11, 1, {0: 10, 300: 1}, id="one message too many for one instance"),
    ],
)
def test_messages_at_once_are_taken_in_rounds(
    sent: int, instances: int, waits: dict[int, int]
) -> None:
    """Each round takes ten messages per instance, half a minute after the previous round."""
    rhythm = Rhythm(messages_per_poll=10, poll_wait=30.0)
    found = bounds([0.0] * sent, rhythm, instances, USUAL)
    assert found.waits == Counter(waits)


@pytest.mark.parametrize(
    ("rest", "seconds"),
    [
        pytest.param(60.0, 47.0, id="two polls share a boot"),
        pytest.param(600.0, 60.0, id="another instance is cheaper than a long rest"),
        pytest.param(5.0, 5.0, id="short rests cost what they take"),
        pytest.param(0.0, 0.0, id="no rest, no bound"),
    ],
)
def test_a_poll_costs_what_its_cheapest_way_costs(rest: float, seconds: float) -> None:
    """With boots of 34 s and bills of at least 60 s, the bound is the cheapest number of polls."""
    rhythm = Rhythm(messages_per_poll=10, poll_wait=rest)
    found = bounds([0.0] * 1000, rhythm, 4, USUAL.with_boot(54.0, running=20.0))
    assert found.billed_seconds == pytest.approx(100 * seconds)


def test_the_template_is_one_of_its_rivals() -> None:
    """The first candidate is the template's own fleet, unchanged, and all names differ."""
    ours = the_template()
    names = [rival.name for rival in rivals(ours, 50)]
    assert next(iter(rivals(ours, 50))) is ours
    assert len(set(names)) == len(names) == 8


def test_a_group_of_none_receives_nothing_and_costs_nothing() -> None:
    """With a maximum of 0 there is no wait to bound."""
    assert bounds([0.0], Rhythm(messages_per_poll=10, poll_wait=60.0), 0, USUAL) == Bounds(
        Counter(), 0.0
    )
