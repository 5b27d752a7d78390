"""Arrival times: endless series of due times, shaped by a pattern around a mean rate."""

from __future__ import annotations

import math
from enum import StrEnum
from itertools import accumulate, count, repeat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

ROUNDING: Final = 1e-9
"""Tolerance for floating point, as part of a period: 3 / (0.1 * 30) must begin a new period."""


class Pattern(StrEnum):
    """How messages spread over time; the mean rate is the same for all."""

    CONSTANT = "constant"
    BURST = "burst"
    RAMP = "ramp"
    POISSON = "poisson"


def due_times(pattern: Pattern, rate: float, period: float, rng: Random) -> Iterator[float]:
    """Return the endless, never decreasing times at which messages are due.

    constant: evenly spaced, the first at 0.
    burst: all messages of a period are due at its beginning, the first ones at 0.
    ramp: in each period the rate rises linearly from 0 to twice `rate`, then starts again at 0;
        message k is due when k messages are expected, so the first one is due at 0.
    poisson: independent gaps, exponentially distributed with mean 1 / rate.

    Args:
        pattern: the shape.
        rate: mean messages a second over whole periods, more than 0.
        period: seconds from burst to burst, or that a ramp rises, more than 0; the other
            patterns do not use it.
        rng: the randomness of `poisson`; the other patterns do not use it.

    Returns:
        Seconds since the start.

    Raises:
        ValueError: rate or period is not a positive, finite number.
    """
    if not (0 < rate < math.inf and 0 < period < math.inf):
        raise ValueError(f"rate and period must be positive: {rate=}, {period=}")
    match pattern:
        case Pattern.CONSTANT:
            return (index / rate for index in count())
        case Pattern.BURST:
            return (period * _period_of(index, rate * period) for index in count())
        case Pattern.RAMP:
            return (_ramp_time(index, rate, period) for index in count())
        case Pattern.POISSON:
            return accumulate(rng.expovariate(mean) for mean in repeat(rate))


def _period_of(index: int, messages: float) -> int:
    """Return the period of message `index` when each has `messages`, a whole number or not."""
    return math.floor(index / messages + ROUNDING)


def _ramp_time(index: int, rate: float, period: float) -> float:
    # Within a period rate(t) = 2 * rate * t / period, so rate * t**2 / period messages are due by
    # t. Solved for t: at 1 a second and 100 s, message 25 is due at sqrt(25 * 100 / 1) = 50 s.
    done = _period_of(index, rate * period)
    rest = max(0.0, index - done * rate * period)
    return done * period + math.sqrt(rest * period / rate)
