"""Steps of the fleet's size: what the template and its page say about them, derived from it."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import pytest
from support.builders.fleets import product_fleet, product_template, product_text

from tidemill.scaling.policies.step import MAX_STEPS, find_step
from tidemill.scaling.spec import Alarm, StepScalingPolicy

LARGEST = product_template()["Parameters"]["MaxInstances"]["MaxValue"]
EXACT = 8
"""Up to this number of instances the group has as many as the backlog needs."""

DEPLOYING = Path(__file__).parents[2] / "docs/deploy.md"


def an_alarm(name: str) -> tuple[Alarm, StepScalingPolicy]:
    """Return an alarm of the template with its policy."""
    fleet = product_fleet(FastSignal="true")
    (alarm,) = (one for one in fleet.alarms if one.logical_id == name)
    (policy,) = (fleet.policy(one) for one in alarm.policies)
    assert isinstance(policy, StepScalingPolicy)
    return alarm, policy


def size_for(name: str, needed: int) -> int:
    """Return the size that the alarm's policy sets for a number of instances needed."""
    alarm, policy = an_alarm(name)
    step = find_step(policy.steps, alarm.comparison, alarm.threshold, needed)
    assert step is not None
    return step.adjustment


SIZES = {needed: size_for("BacklogAlarm", needed) for needed in range(1, LARGEST + 1)}


def worst() -> Fraction:
    """Return the largest number of instances per instance needed, over all sizes."""
    return max(Fraction(size, needed) for needed, size in SIZES.items())


def test_every_backlog_gets_the_instances_that_it_needs() -> None:
    """The group never has fewer, and the last step is the largest fleet."""
    assert all(size >= needed for needed, size in SIZES.items())
    assert SIZES[LARGEST] == size_for("BacklogAlarm", 10**9) == LARGEST


def test_small_fleets_get_exactly_what_they_need() -> None:
    """The first number with a coarser step is the one after the template's text."""
    assert [needed for needed, size in SIZES.items() if size == needed][:EXACT] == [*range(1, 9)]
    assert SIZES[EXACT + 1] > EXACT + 1
    assert f"Up to {EXACT} each number has a step of its own" in " ".join(product_text().split())


def test_the_largest_over_provisioning_is_the_one_that_is_stated() -> None:
    """The template and docs/deploy.md have it, rounded up to a hundredth."""
    stated = f"{math.ceil(100 * worst()) / 100:.2f}"
    assert f"less than {stated} times" in " ".join(product_text().replace("#", "").split())
    assert f"less than {stated} times" in DEPLOYING.read_text(encoding="utf-8")


def test_no_other_series_of_so_many_steps_is_better() -> None:
    """Any smaller ratio needs more than 20 steps from 8 to the largest fleet."""
    _, policy = an_alarm("BacklogAlarm")
    assert len(policy.steps) == MAX_STEPS
    size, steps = EXACT, EXACT
    while size < LARGEST:  # each step is the largest one with a smaller ratio than the worst
        size = max(size + 1, math.ceil(worst() * (size + 1)) - 1)
        steps += 1
    assert steps > MAX_STEPS


def test_the_fast_signal_uses_the_same_steps() -> None:
    """Both alarms run the same policy, at the same distance from their thresholds."""
    assert an_alarm("BacklogRisingAlarm")[1] == an_alarm("BacklogAlarm")[1]
    assert {needed: size_for("BacklogRisingAlarm", needed) for needed in SIZES} == SIZES


def test_the_empty_queue_sets_0() -> None:
    """Its policy has no other step, so it can never set anything else."""
    _, policy = an_alarm("EmptyQueueAlarm")
    assert [step.adjustment for step in policy.steps] == [0]
    assert size_for("EmptyQueueAlarm", 0) == 0


@pytest.mark.parametrize("name", ["BacklogAlarm", "EmptyQueueAlarm", "BacklogRisingAlarm"])
def test_the_threshold_is_halfway_between_whole_numbers(name: str) -> None:
    """The alarms' values are whole numbers, and so are the steps' bounds."""
    alarm, policy = an_alarm(name)
    assert alarm.threshold % 1 == 0.5
    for step in policy.steps:
        assert all(bound is None or bound % 1 == 0 for bound in (step.lower, step.upper))


@pytest.mark.parametrize("name", ["BacklogAlarm", "EmptyQueueAlarm", "BacklogRisingAlarm"])
def test_several_datapoints_would_count_as_the_largest_one(name: str) -> None:
    """AWS's default is the average, which could lie on a bound of a step."""
    _, policy = an_alarm(name)
    assert policy.aggregation.value == "Maximum"
