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
    ("comparison", "value", "adjustment"),
    [
        pytest.param(Comparison.GREATER_OR_EQUAL, 60.0, 10, id="lower-bound-belongs-above"),
        pytest.param(Comparison.GREATER_OR_EQUAL, 69.9, 10, id="inside"),
        pytest.param(Comparison.GREATER_OR_EQUAL, 70.0, 30, id="upper-bound-belongs-to-the-next"),
        pytest.param(Comparison.GREATER_OR_EQUAL, 49.0, None, id="below-all"),
        pytest.param(Comparison.LESS_OR_EQUAL, 40.0, -10, id="upper-bound-belongs-below"),
        pytest.param(Comparison.LESS_OR_EQUAL, 30.0, -30, id="lower-bound-belongs-to-the-next"),
    ],
)
def test_the_side_of_the_threshold_says_which_bound_belongs_to_a_step(
    comparison: Comparison, value: float, adjustment: int | None
) -> None:
    """The threshold is 50, as in the user guide's table."""
    steps = IN if comparison is Comparison.LESS_OR_EQUAL else OUT
    step = find_step(steps, comparison, 50, value)
    assert (step.adjustment if step else None) == adjustment


@given(
    st.lists(st.integers(-30, 30), min_size=1, max_size=8, unique=True),
    st.floats(-100, 100),
    st.sampled_from(list(Comparison)),
)
def test_valid_steps_hold_a_value_at_most_once(
    bounds: list[int], value: float, comparison: Comparison
) -> None:
    """Steps that cover all numbers contain each value exactly once."""
    edges = [None, *sorted(bounds), None]
    steps = tuple(
        StepAdjustment(low, high, number)
        for number, (low, high) in enumerate(itertools.pairwise(edges))
    )
    assert step_problems(steps) == []
    holding = [step for step in steps if find_step((step,), comparison, 0, value)]
    assert holding == [find_step(steps, comparison, 0, value)]


@pytest.mark.parametrize(
    ("raw", "whole"), [(12.7, 12), (0.67, 1), (-0.58, -1), (-6.67, -6), (0, 0)]
)
def test_percentages_are_rounded_as_published(raw: float, whole: int) -> None:
    """They are rounded towards zero, but never to zero."""
    assert whole_change(raw) == whole


def test_a_least_magnitude_lifts_a_change_and_not_its_absence() -> None:
    """25 % of 4 is 1 and becomes 2; 0 % stays 0."""
    policy = replace(PERCENT, min_adjustment_magnitude=2)
    assert adjusted(policy, 25, 4) == 6
    assert adjusted(policy, -25, 4) == 2
    assert adjusted(policy, 0, 4) == 4


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
