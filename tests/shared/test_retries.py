"""Tests of pauses between attempts, and of the budget of retries."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from shared.retries import BUDGET, LONGEST_PAUSE, RetryBudget, pause_before


@given(st.integers(2, 100), st.integers())
def test_pauses_grow_up_to_a_limit_and_are_spread_out(attempt: int, seed: int) -> None:
    """The longest pause is 0.5 s before the second attempt and doubles up to 20 s."""
    rng = Random(seed)  # noqa: S311 - repeatable, not secret
    assert 0 <= pause_before(attempt, rng) <= min(LONGEST_PAUSE, 2.0 ** (attempt - 3))


def test_an_outage_uses_up_the_retries() -> None:
    """Then there is a retry for ten calls that succeed."""
    budget = RetryBudget()
    assert sum(budget.take() for _ in range(100)) == BUDGET
    for _ in range(10):
        assert not budget.take()
        budget.earn()
    assert budget.take()


def test_success_earns_no_more_than_the_budget() -> None:
    """A worker that has run for weeks has no more retries than a new one."""
    budget = RetryBudget()
    for _ in range(1000):
        budget.earn()
    assert sum(budget.take() for _ in range(100)) == BUDGET
