"""Distributions of a time: from a random number to seconds."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.times import DISTRIBUTIONS

from tidemill.scaling.errors import CalibrationError
from tidemill.scaling.times.distributions import (
    Constant,
    Distribution,
    Samples,
    Triangular,
    Uniform,
)

SHARES = st.floats(0, 1, exclude_max=True)


@given(DISTRIBUTIONS, SHARES, SHARES)
def test_a_larger_share_is_never_a_shorter_time(
    distribution: Distribution, one: float, other: float
) -> None:
    """`at` is the inverse of a distribution function: it never falls."""
    low, high = sorted((one, other))
    assert distribution.least <= distribution.at(low) <= distribution.at(high) + 1e-9


@given(DISTRIBUTIONS, SHARES, st.sampled_from([0.5, 2.0]))
def test_a_scaled_time_has_the_same_draw_scaled(
    distribution: Distribution, share: float, factor: float
) -> None:
    """The same random number gives half or twice the seconds."""
    drawn = distribution.scaled(factor).at(share)
    assert drawn == pytest.approx(distribution.at(share) * factor)


@pytest.mark.parametrize(
    "distribution",
    [
        pytest.param(Constant(5.0), id="constant"),
        pytest.param(Uniform(2.0, 6.0), id="uniform"),
        pytest.param(Triangular(9.0, 14.0, 28.0), id="triangular"),
        pytest.param(Triangular(3.0, 3.0, 9.0), id="triangular with its mode at the start"),
        pytest.param(Samples((6.0, 9.0, 21.0)), id="samples"),
    ],
)
def test_many_draws_have_the_stated_mean(distribution: Distribution) -> None:
    """The mean of 20,000 draws is within 2 % of it."""
    rng = Random(1)  # noqa: S311 - chance, not secrets
    drawn = math.fsum(distribution.at(rng.random()) for _ in range(20_000)) / 20_000
    assert drawn == pytest.approx(distribution.mean, rel=0.02)


def test_a_triangular_time_has_the_published_distribution_function() -> None:
    """At the mode the share is (mode - low) / (high - low): 5 of 20."""
    assert Triangular(10.0, 15.0, 30.0).at(0.25) == pytest.approx(15.0)
    assert Triangular(10.0, 15.0, 30.0).at(0.0) == 10.0
    assert Triangular(10.0, 15.0, 30.0).at(1.0) == 30.0


def test_samples_are_drawn_equally_often() -> None:
    """Each of three has a third of the shares, in any order of the measurements."""
    assert [Samples((9.0, 4.0, 5.0)).at(share) for share in (0.0, 0.34, 0.67, 1.0)] == [
        4.0,
        5.0,
        9.0,
        9.0,
    ]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        pytest.param((-1.0, 2.0), "-1 is not a number of seconds", id="negative"),
        pytest.param((1.0, math.nan), "nan is not", id="no number"),
        pytest.param((1.0, math.inf), "inf is not", id="endless"),
        pytest.param((3.0, 2.0), "3, 2 are not in ascending order", id="order"),
    ],
)
def test_what_is_no_time_is_refused(values: tuple[float, float], says: str) -> None:
    """One line says which value and why."""
    with pytest.raises(CalibrationError, match=says):
        Uniform(*values)


def test_no_samples_are_refused() -> None:
    """A distribution of nothing has no draws."""
    with pytest.raises(CalibrationError, match="no seconds are given"):
        Samples(())


@pytest.mark.parametrize(
    ("distribution", "text"),
    [
        pytest.param(Constant(0.05), "0.05 s", id="constant"),
        pytest.param(Uniform(0.0, 5.0), "0 to 5 s", id="uniform"),
        pytest.param(Triangular(9.0, 14.0, 28.0), "9 to 28 s, mostly 14 s", id="triangular"),
        pytest.param(Samples((6.3, 4.1)), "2 measured, 4.1 to 6.3 s", id="samples"),
    ],
)
def test_a_distribution_reads_as_a_phrase(distribution: Distribution, text: str) -> None:
    """Tables show it."""
    assert str(distribution) == text
