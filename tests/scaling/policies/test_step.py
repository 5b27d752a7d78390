"""Step scaling: which step, what capacity, within which limits."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.fleets import a_policy

from tidemill.scaling.group.capacity import Capacity
from tidemill.scaling.policies.step import (
    adjusted,
    find_step,
    step_outcome,
    step_problems,
    whole_change,
)
from tidemill.scaling.spec import AdjustmentType, Comparison, Limits, StepAdjustment

OUT = (StepAdjustment(0, 10, 0), StepAdjustment(10, 20, 10), StepAdjustment(20, None, 30))
IN = (StepAdjustment(-10, 0, 0), StepAdjustment(-20, -10, -10), StepAdjustment(None, -20, -30))
PERCENT = a_policy(adjustment_type=AdjustmentType.PERCENT, steps=OUT)
EXACT = a_policy(adjustment_type=AdjustmentType.EXACT)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        pytest.param(OUT, "", id="out"),
        pytest.param(IN, "", id="in"),
        pytest.param((), "at least one step", id="none"),
        pytest.param((StepAdjustment(None, None, 1),), "at least one bound", id="no-bound"),
        pytest.param(
            (StepAdjustment(0, 10, 1), StepAdjustment(15, None, 2)), "gap from 10 to 15", id="gap"
        ),
        pytest.param(
            (StepAdjustment(0, 10, 1), StepAdjustment(5, None, 2)), "overlap at 5", id="overlap"
        ),
        pytest.param((StepAdjustment(0, 10, 1),), "no upper bound", id="not-open-above"),
        pytest.param((StepAdjustment(-10, 0, -1),), "no lower bound", id="not-open-below"),
        pytest.param(
            (StepAdjustment(0, None, 1), StepAdjustment(10, None, 1)), "only one", id="two-open"
        ),
        pytest.param(
            (*(StepAdjustment(n, n + 1, 1) for n in range(20)), StepAdjustment(20, None, 1)),
            "more than 20",
            id="too-many",
        ),
    ],
)
def test_steps_are_valid_as_auto_scaling_has_it(
    steps: tuple[StepAdjustment, ...], said: str
) -> None:
    """The problems are what Auto Scaling would refuse."""
    problems = "; ".join(step_problems(steps))
    assert said in problems
    assert bool(said) == bool(problems)


@pytest.mark.parametrize(
    ("steps", "value", "adjustment"),
    [
        pytest.param(OUT, 60.0, 10, id="lower-bound-belongs-above"),
        pytest.param(OUT, 69.9, 10, id="inside"),
        pytest.param(OUT, 70.0, 30, id="upper-bound-belongs-to-the-next"),
        pytest.param(OUT, 49.0, None, id="below-all"),
        pytest.param(IN, 40.0, -10, id="upper-bound-belongs-below"),
        pytest.param(IN, 30.0, -30, id="lower-bound-belongs-to-the-next"),
        pytest.param(IN, 51.0, None, id="above-all"),
        pytest.param(IN + OUT, 60.0, 10, id="above-among-both"),
        pytest.param(IN + OUT, 40.0, -10, id="below-among-both"),
    ],
)
@pytest.mark.parametrize("comparison", list(Comparison))
def test_the_side_of_the_threshold_says_which_bound_belongs_to_a_step(
    comparison: Comparison, steps: tuple[StepAdjustment, ...], value: float, adjustment: int | None
) -> None:
    """The threshold is 50, as in the user guide's table; the alarm's operator does not matter."""
    step = find_step(steps, comparison, 50, value)
    assert (step.adjustment if step else None) == adjustment


@pytest.mark.parametrize("comparison", list(Comparison))
@pytest.mark.parametrize(
    ("only", "inside", "outside"),
    [
        pytest.param(StepAdjustment(0, 10, 1), (50.0, 59.9), (60.0, 49.9), id="50-up-to-60"),
        pytest.param(StepAdjustment(-10, 0, -1), (50.0, 40.1), (40.0, 50.1), id="from-40-to-50"),
        pytest.param(StepAdjustment(0, None, 1), (50.0, 1e9), (49.9,), id="50-and-more"),
        pytest.param(StepAdjustment(None, 0, -1), (50.0, -1e9), (50.1,), id="50-and-less"),
    ],
)
def test_a_value_at_the_threshold_is_in_the_step_on_either_side(
    comparison: Comparison,
    only: StepAdjustment,
    inside: tuple[float, ...],
    outside: tuple[float, ...],
) -> None:
    """The API reference's examples: 0 to 10 contains 50, and so does -10 to 0."""
    assert all(find_step((only,), comparison, 50, value) is only for value in inside)
    assert all(find_step((only,), comparison, 50, value) is None for value in outside)


@pytest.mark.parametrize(
    ("comparison", "adjustment"),
    [
        (Comparison.GREATER_OR_EQUAL, 0),
        (Comparison.GREATER, 0),
        (Comparison.LESS_OR_EQUAL, -1),
        (Comparison.LESS, -1),
    ],
)
def test_of_two_steps_at_the_threshold_the_alarms_operator_chooses(
    comparison: Comparison, adjustment: int
) -> None:
    """This is assumed; the order in which the policy lists them does not matter."""
    both = (StepAdjustment(None, 0, -1), StepAdjustment(0, None, 0))
    for steps in (both, both[::-1]):
        found = find_step(steps, comparison, 50, 50)
        assert found is not None
        assert found.adjustment == adjustment


@given(
    st.lists(st.integers(-30, 30), min_size=1, max_size=8, unique=True),
    st.floats(-100, 100),
    st.sampled_from(list(Comparison)),
)
def test_valid_steps_hold_a_value_once_and_the_threshold_twice_at_most(
    bounds: list[int], value: float, comparison: Comparison
) -> None:
    """Of steps that cover all numbers, two contain a bound that they share at the threshold."""
    edges = [None, *sorted(bounds), None]
    steps = tuple(
        StepAdjustment(low, high, number)
        for number, (low, high) in enumerate(itertools.pairwise(edges))
    )
    assert step_problems(steps) == []
    holding = [step for step in steps if find_step((step,), comparison, 0, value)]
    assert find_step(steps, comparison, 0, value) in holding
    assert len(holding) == (2 if value == 0 and 0 in bounds else 1)


@pytest.mark.parametrize(
    ("raw", "whole"), [(12.7, 12), (0.67, 1), (-0.58, -1), (-6.67, -6), (0, 0)]
)
def test_percentages_are_rounded_as_published(raw: float, whole: int) -> None:
    """They are rounded towards zero, but never to zero."""
    assert whole_change(raw) == whole


def test_a_least_magnitude_lifts_a_change_and_not_its_absence() -> None:
    """25 % of 4 is 1 and becomes 2, 100 % of 0 is 0 and becomes 2; 0 % stays 0."""
    policy = replace(PERCENT, min_adjustment_magnitude=2)
    assert adjusted(policy, 100, 0) == 2
    assert adjusted(policy, -100, 0) == -2
    assert adjusted(policy, 25, 4) == 6
    assert adjusted(policy, -25, 4) == 2
    assert adjusted(policy, 0, 4) == 4


@pytest.mark.parametrize(
    ("steps", "metric", "capacity", "after"),
    [(OUT, 60, 10, 11), (OUT, 70, 11, 14), (IN, 40, 14, 13), (IN, 30, 13, 10)],
)
def test_the_guides_scaling_configuration(
    steps: tuple[StepAdjustment, ...], metric: float, capacity: int, after: int
) -> None:
    """The group of 10 goes to 11, 14, 13 and back to 10 as the metric goes to 60, 70, 40 and 30."""
    for comparison in Comparison:
        step = find_step(steps, comparison, 50, metric)
        assert step is not None
        settled = Capacity(capacity, capacity)
        assert step_outcome(PERCENT, step, settled, Limits(0, 100)).desired == after


def test_the_guides_configuration_changes_nothing_between_40_and_60() -> None:
    """A step of 0 % asks for the present capacity."""
    for steps, metric in ((OUT, 59.9), (IN, 40.1), (OUT, 50.0), (IN, 50.0)):
        step = find_step(steps, Comparison.GREATER, 50, metric)
        assert step is not None
        assert step_outcome(PERCENT, step, Capacity(10, 10), Limits(0, 100)).desired is None


def test_the_guides_warm_up_example() -> None:
    """With 10 instances and 1 warming, 62 asks for no change and 70 for two more."""
    warming = Capacity(desired=11, settled=10, warming=1)
    low, high = (find_step(OUT, Comparison.GREATER_OR_EQUAL, 50, value) for value in (62.0, 70.0))
    assert low is not None
    assert high is not None
    assert step_outcome(PERCENT, low, warming, Limits(0, 100)).desired is None
    assert step_outcome(PERCENT, high, warming, Limits(0, 100)).desired == 13


def test_nothing_is_taken_while_instances_warm_up() -> None:
    """Pending instances count as warming."""
    outcome = step_outcome(
        EXACT, StepAdjustment(0, None, 0), Capacity(2, 1, warming=1), Limits(0, 4)
    )
    assert (outcome.desired, outcome.held) == (None, "1 instances are warming up")


def test_terminating_instances_count_when_more_would_be_taken() -> None:
    """A second alarm in the same step terminates no more."""
    policy = a_policy(steps=(StepAdjustment(None, 0, -1),))
    capacity = Capacity(desired=10, settled=10, terminating=1)
    assert step_outcome(policy, policy.steps[0], capacity, Limits(0, 20)).desired is None


CAPACITIES = st.builds(
    Capacity,
    desired=st.integers(0, 12),
    settled=st.integers(0, 12),
    warming=st.integers(0, 4),
    terminating=st.integers(0, 4),
)


@given(
    CAPACITIES,
    st.sampled_from(list(AdjustmentType)),
    st.integers(-150, 150),
    st.integers(0, 5),
    st.integers(0, 8),
)
def test_a_new_capacity_is_within_the_groups_limits(
    capacity: Capacity, kind: AdjustmentType, adjustment: int, low: int, room: int
) -> None:
    """The outcome of any step is a change within the limits, or a reason."""
    policy = a_policy(adjustment_type=kind)
    limits = Limits(low, low + room)
    outcome = step_outcome(policy, StepAdjustment(0, None, adjustment), capacity, limits)
    if outcome.desired is None:
        assert outcome.held
    else:
        assert outcome.desired != capacity.desired
        assert outcome.desired == limits.clamp(outcome.desired)
