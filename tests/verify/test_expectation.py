"""Expectations: they are the core's own, for whatever the template says."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.alarms import an_alarm
from support.builders.fleets import a_fleet, a_policy, product_fleet
from support.fakes.worlds import MINUTE, Run

from tidemill.scaling.facts import ActivityStarted
from tidemill.scaling.spec import AdjustmentType, AlarmState, StepAdjustment
from tidemill.verify.expectation import (
    REFUSED,
    anonymous,
    causes,
    desired_for,
    probes,
    state_at,
    value_at,
)

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet


def exact(steps: tuple[StepAdjustment, ...], threshold: float) -> Fleet:
    """Return a fleet with one policy of these steps."""
    policy = a_policy(adjustment_type=AdjustmentType.EXACT, steps=steps)
    return a_fleet((policy,), (an_alarm(threshold=threshold, actions=(policy.logical_id,)),))


@pytest.mark.parametrize("fast", ["false", "true"])
@pytest.mark.parametrize("messages", [0, 1, 21])
def test_states_and_values_are_those_that_the_loop_reaches(fast: str, messages: int) -> None:
    """The same fleet over a queue with so many messages ends up in these states."""
    fleet = product_fleet(FastSignal=fast, HoldSeconds="300" if fast == "true" else "120")
    run = Run(fleet)
    run.world.rate = 0
    run.queue.visible = messages
    run.go(12 * MINUTE, every=2)
    for alarm in fleet.alarms:
        memory = run.memory.watches[alarm.logical_id].memory
        assert state_at(alarm, messages, run.desired) is memory.state
        assert value_at(alarm, messages, run.desired) == memory.value


def test_causes_are_those_of_the_loops_activities() -> None:
    """A message starts an instance, and the empty queue ends it, each with its text."""
    fleet = product_fleet()
    run = Run(fleet)
    run.queue.visible = 1
    run.go(20 * MINUTE)
    launch, termination = (anonymous(fact.cause) for fact in run.of_kind(ActivityStarted))
    assert launch in causes(fleet, 1, 0)
    assert termination in causes(fleet, 0, 1)
    assert not causes(fleet, 1, 0) & causes(fleet, 0, 1)


def test_no_activity_is_expected_of_a_fleet_that_has_what_it_needs() -> None:
    """One instance for one message, and none for none."""
    fleet = product_fleet()
    assert causes(fleet, 1, 1) == set()
    assert causes(fleet, 0, 0) == set()


@pytest.mark.parametrize(("messages", "desired"), [(0, 0), (1, 1), (20, 1), (21, 2), (999, 4)])
def test_a_backlog_asks_for_the_templates_number_of_instances(messages: int, desired: int) -> None:
    """Twenty messages for each, and four instances at most."""
    assert (
        desired_for(product_fleet(BacklogPerInstance="20", MaxInstances="4"), messages) == desired
    )


def test_a_cause_is_compared_without_moments_and_instances() -> None:
    """They are different each time; all other words count."""
    text = "At 2025-06-15T15:07:00Z an instance  i-0123456789abcdef0 was started"
    assert anonymous(text) == "At <time> an instance <instance> was started"


def test_probes_touch_every_bound_near_the_threshold_and_the_last_one() -> None:
    """Values at the threshold, beside each bound, and in the last step."""
    steps = (StepAdjustment(None, 0, 0), StepAdjustment(0, 1, 1), StepAdjustment(1, None, 2))
    found = {probe.value: probe.expected for probe in probes(exact(steps, 1))}
    assert found == {0: 0, 1: 1, 2: 2, 3: 2}


def test_a_value_in_no_step_is_expected_to_be_refused() -> None:
    """AWS answers with a ValidationError."""
    below = exact((StepAdjustment(1, None, 1),), 2)
    assert {probe.expected for probe in probes(below) if probe.value == 2} == {REFUSED}
    assert {probe.expected for probe in probes(below) if probe.value == 3} == {1}


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=19, unique=True),
    st.sampled_from([0.5, 1.0, 3.0]),
)
def test_every_probe_but_a_refused_one_moves_the_capacity(
    bounds: list[int], threshold: float
) -> None:
    """Otherwise a policy that does nothing would look as if it agreed."""
    edges = [0.0, *map(float, sorted(bounds)), None]
    steps = tuple(
        StepAdjustment(low, high, number + 1) for number, (low, high) in enumerate(pairwise(edges))
    )
    found = list(probes(exact(steps, threshold)))
    assert found[0].control
    assert all(probe.expected == REFUSED or probe.expected != probe.start for probe in found)
    assert len(found) == len({probe.name for probe in found})


@pytest.mark.parametrize("policy", product_fleet().policies, ids=lambda policy: policy.name)
def test_the_products_policies_are_probed_at_their_thresholds(policy: object) -> None:
    """Each policy that an alarm runs has a control, and a value exactly at its threshold."""
    fleet = product_fleet()
    mine = [one for one in probes(fleet) if fleet.policy(one.policy) == policy]
    assert [one.control for one in mine].count(True) == 1
    assert any(one.value == one.threshold for one in mine)


def test_alarms_that_nothing_publishes_for_have_no_value() -> None:
    """A metric that is unknown here has no datapoint."""
    alarm = an_alarm()
    (query,) = alarm.queries
    assert query.stat is not None
    other = replace(query.stat.metric, name=re.sub(".+", "CPUUtilization", "x"))
    alarm = replace(alarm, queries=(replace(query, stat=replace(query.stat, metric=other)),))
    assert value_at(alarm, 5) is None
    assert state_at(alarm, 5) is AlarmState.INSUFFICIENT_DATA
