"""Distributions of a time: four kinds, each a function from a random number to seconds.

A distribution draws nothing itself. It returns the seconds that belong to a share between 0 and 1
(the inverse of its distribution function), so that the caller's random numbers decide, and the same
random number gives the same draw, scaled, when a time is halved or doubled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tidemill.scaling.errors import CalibrationError


@dataclass(frozen=True, slots=True)
class Constant:
    """The same time always."""

    seconds: float

    def __post_init__(self) -> None:
        """Refuse values that are no times."""
        _check((self.seconds,))

    @property
    def mean(self) -> float:
        """Return the mean in seconds."""
        return self.seconds

    @property
    def least(self) -> float:
        """Return the shortest time in seconds."""
        return self.seconds

    def at(self, share: float) -> float:  # noqa: ARG002 - the other kinds use it
        """Return the seconds for a share from 0 to 1."""
        return self.seconds

    def scaled(self, factor: float) -> Constant:
        """Return the distribution of this time multiplied by a factor."""
        return Constant(self.seconds * factor)

    def __str__(self) -> str:
        """Return it as a table shows it, such as `6 s`."""
        return f"{self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Uniform:
    """All times from `low` to `high`, equally likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse values that are no times or not in their order."""
        _check((self.low, self.high))

    @property
    def mean(self) -> float:
        """Return the mean in seconds."""
        return (self.low + self.high) / 2

    @property
    def least(self) -> float:
        """Return the shortest time in seconds."""
        return self.low

    def at(self, share: float) -> float:
        """Return the seconds for a share from 0 to 1: 2 to 6 s at 0.25 is 2 + 0.25 * 4 = 3 s."""
        return self.low + share * (self.high - self.low)

    def scaled(self, factor: float) -> Uniform:
        """Return the distribution of this time multiplied by a factor."""
        return Uniform(self.low * factor, self.high * factor)

    def __str__(self) -> str:
        """Return it as a table shows it, such as `0 to 5 s`."""
        return f"{self.low:g} to {self.high:g} s"


@dataclass(frozen=True, slots=True)
class Triangular:
    """Times from `low` to `high`, most often near `mode`."""

    low: float
    mode: float
    high: float

    def __post_init__(self) -> None:
        """Refuse values that are no times or not in their order."""
        _check((self.low, self.mode, self.high))

    @property
    def mean(self) -> float:
        """Return the mean in seconds: that of 9, 14 and 28 s is 17 s."""
        return (self.low + self.mode + self.high) / 3

    @property
    def least(self) -> float:
        """Return the shortest time in seconds."""
        return self.low

    def at(self, share: float) -> float:
        """Return the seconds for a share from 0 to 1: `low` at 0, `high` at 1."""
        low, mode, high = self.low, self.mode, self.high
        if share * (high - low) < mode - low:
            return low + math.sqrt(share * (high - low) * (mode - low))
        return max(mode, high - math.sqrt((1 - share) * (high - low) * (high - mode)))

    def scaled(self, factor: float) -> Triangular:
        """Return the distribution of this time multiplied by a factor."""
        return Triangular(self.low * factor, self.mode * factor, self.high * factor)

    def __str__(self) -> str:
        """Return it as a table shows it, such as `9 to 28 s, mostly 14 s`."""
        return f"{self.low:g} to {self.high:g} s, mostly {self.mode:g} s"


@dataclass(frozen=True, slots=True)
class Samples:
    """One of the measured times, each equally likely."""

    seconds: tuple[float, ...]

    def __post_init__(self) -> None:
        """Sort the measured times; refuse an empty list, and values that are no times."""
        object.__setattr__(self, "seconds", tuple(sorted(self.seconds)))
        _check(self.seconds)

    @property
    def mean(self) -> float:
        """Return the mean in seconds."""
        return math.fsum(self.seconds) / len(self.seconds)

    @property
    def least(self) -> float:
        """Return the shortest time in seconds."""
        return self.seconds[0]

    def at(self, share: float) -> float:
        """Return the seconds for a share from 0 to 1: of 4, 5 and 9 s, 0.5 gives 5 s."""
        return self.seconds[min(int(share * len(self.seconds)), len(self.seconds) - 1)]

    def scaled(self, factor: float) -> Samples:
        """Return the distribution of this time multiplied by a factor."""
        return Samples(tuple(value * factor for value in self.seconds))

    def __str__(self) -> str:
        """Return it as a table shows it, such as `7 measured, 4.1 to 6.3 s`."""
        low, high = self.seconds[0], self.seconds[-1]
        return f"{len(self.seconds)} measured, {low:g} to {high:g} s"


Distribution = Constant | Uniform | Triangular | Samples


def _check(values: tuple[float, ...]) -> None:
    """Refuse times that are negative, endless or not in ascending order.

    Raises:
        CalibrationError: which of them is wrong, and why.
    """
    if not values:
        raise CalibrationError("no seconds are given")
    for value in values:
        if not 0 <= value < math.inf:  # NaN compares as false
            raise CalibrationError(f"{value:g} is not a number of seconds")
    if list(values) != sorted(values):
        listed = ", ".join(f"{value:g}" for value in values)
        raise CalibrationError(f"{listed} are not in ascending order")
