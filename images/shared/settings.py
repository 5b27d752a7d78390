"""Reading settings from the environment, with every problem reported at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shared.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class SettingsReader:
    """Reads typed values from a mapping and collects what is wrong with them.

    Every method returns a usable value even for a bad one, so that reading goes on;
    `finish` raises for all of them. An empty value counts as not set.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Read from this mapping, usually os.environ."""
        self._environment = environment
        self._problems: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        """Return the value as it stands, stripped of white space around it."""
        return self._environment.get(name, "").strip() or default

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Return a whole number between low and high, both included."""
        value = self.text(name)
        if not value:
            return default
        try:
            number = int(value)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            self.problem(f"{name}={value!r}: give a whole number from {low} to {high}")
            return default
        return number

    def seconds(self, name: str, default: float, low: float, high: float) -> float:
        """Return a number of seconds between low and high, both included; fractions are fine."""
        value = self.text(name)
        if not value:
            return default
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            self.problem(f"{name}={value!r}: give a number of seconds from {low:g} to {high:g}")
            return default
        return number

    def choice(self, name: str, default: str, allowed: Collection[str]) -> str:
        """Return one of the allowed values, whatever case it is written in."""
        value = self.text(name, default)
        for option in allowed:
            if option.lower() == value.lower():
                return option
        self.problem(f"{name}={value!r}: give one of {', '.join(allowed)}")
        return default

    def problem(self, sentence: str) -> None:
        """Add a problem that only the caller can see, such as two settings that clash."""
        self._problems.append(sentence)

    def finish(self) -> None:
        """Raise SettingsError when anything was wrong."""
        if self._problems:
            raise SettingsError(self._problems)
