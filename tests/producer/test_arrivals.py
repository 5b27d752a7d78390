"""Tests of arrival times."""

from __future__ import annotations

import math
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.producing import seeded

from producer.arrivals import Pattern, due_times

rates = st.floats(0.01, 10_000)
periods = st.floats(0.01, 10_000)
patterns = st.sampled_from(Pattern)


def first(
    number: int, pattern: Pattern, rate: float, period: float = 60.0, seed: int = 1
) -> list[float]:
    """Return the first due times."""
    return list(islice(due_times(pattern, rate, period, seeded(seed)), number))


@pytest.mark.parametrize(
    ("pattern", "rate", "period", "expected"),
    [
        pytest.param("constant", 4, 60, [0, 0.25, 0.5, 0.75, 1], id="four a second, evenly"),
        pytest.param("burst", 1, 3, [0, 0, 0, 3, 3, 3, 6], id="three seconds' worth at once"),
        pytest.param("burst", 0.1, 30, [0, 0, 0, 30, 30, 30, 60], id="a rate with no exact float"),
        pytest.param("burst", 0.5, 3, [0, 0, 3, 6, 6, 9], id="one and a half in a burst"),
        pytest.param("burst", 0.1, 5, [0, 10, 20], id="less than one in a burst"),
        # The rate climbs from 0 to 2 in four seconds, so a quarter of the four messages is due in
        # the first half: message k at 2 * sqrt(k).
        pytest.param("ramp", 1, 4, [0, 2, 2 * 2**0.5, 2 * 3**0.5, 4, 6], id="slow, then fast"),
    ],
)
def test_a_pattern_has_its_shape(
    pattern: str, rate: float, period: float, expected: list[float]
) -> None:
    """Each pattern has its documented shape, with numbers that can be checked by hand."""
    assert first(len(expected), Pattern(pattern), rate, period) == pytest.approx(expected)


@given(patterns, rates, periods, st.integers())
def test_due_times_never_decrease(pattern: Pattern, rate: float, period: float, seed: int) -> None:
    """Due times are in the order of sending."""
    times = first(200, pattern, rate, period, seed)

    assert times[0] >= 0
    # The rounding of a period's end may show in the last digits.
    assert all(later >= earlier - 1e-6 * later for earlier, later in pairwise(times))


@given(st.sampled_from([Pattern.CONSTANT, Pattern.BURST, Pattern.RAMP]), rates, periods)
def test_every_whole_period_holds_its_share(pattern: Pattern, rate: float, period: float) -> None:
    """The mean rate is the given rate, for every pattern."""
    times = first(300, pattern, rate, period)
    share = rate * period
    for number in range(1, min(4, math.floor(300 / share) + 1)):
        within = sum(time < number * period * (1 - 1e-9) for time in times)
        assert abs(within - number * share) <= 1 + 1e-6 * number * share


@given(st.floats(0.1, 1000), st.integers(0, 2**32))
def test_random_gaps_have_the_mean_asked_for(rate: float, seed: int) -> None:
    """Two thousand gaps: the sum's standard deviation is 2.2 % of its mean; seven of those."""
    times = first(2000, Pattern.POISSON, rate, seed=seed)

    assert times[-1] == pytest.approx(2000 / rate, rel=0.16)


def test_the_seed_decides_the_random_gaps() -> None:
    """The same seed gives the same gaps."""
    assert first(50, Pattern.POISSON, 5, seed=7) == first(50, Pattern.POISSON, 5, seed=7)
    assert first(50, Pattern.POISSON, 5, seed=7) != first(50, Pattern.POISSON, 5, seed=8)


@pytest.mark.parametrize("number", [0, -1, math.nan, math.inf])
def test_rate_and_period_must_be_positive(number: float) -> None:
    """A rate or period that is not positive and finite raises ValueError."""
    with pytest.raises(ValueError, match="must be positive"):
        due_times(Pattern.CONSTANT, number, 60, seeded())
    with pytest.raises(ValueError, match="must be positive"):
        due_times(Pattern.BURST, 1, number, seeded())
