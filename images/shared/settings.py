"""Settings: four kinds that a program declares, and a reader of their values.

A program lists its settings once, as values of these kinds. All code that needs a name, a default
or a bound takes it from that list.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from shared.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A setting that is text. Without a default, `otherwise` describes what is used instead."""

    name: str
    meaning: str
    default: str = ""
    otherwise: str = ""

    def parse(self, text: str) -> str:
        """Return the text as it stands."""
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A setting that is a whole number of `unit` from `low` to `high`, both included.

    A default outside of the bounds stands for what `otherwise` describes.
    """

    name: str
    meaning: str
    default: int
    low: int
    high: int
    unit: str
    otherwise: str = ""

    def parse(self, text: str) -> int:
        """Return the number.

        Raises:
            ValueError: the text is no whole number within the bounds; the error says what to give.
        """
        try:
            number = int(text)
        except ValueError:
            number = self.low - 1
        if not self.low <= number <= self.high:
            raise ValueError(f"give a whole number from {self.low} to {self.high}")
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """A setting that is a duration in seconds from `low` to `high`, both included.

    A value may have a fraction. `whole` is True where the duration ends in a parameter of SQS,
    which takes whole seconds: the program rounds such a duration up. Its name ends in _SECONDS.
    """

    name: str
    meaning: str
    default: float
    low: float
    high: float
    whole: bool = False

    def parse(self, text: str) -> float:
        """Return the seconds.

        Raises:
            ValueError: the text is no number within the bounds; the error says what to give.
        """
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not self.low <= number <= self.high:
            raise ValueError(f"give a number of seconds from {self.low:g} to {self.high:g}")
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A setting that is one of the `allowed` values, in upper or lower case."""

    name: str
    meaning: str
    default: str
    allowed: tuple[str, ...]

    def parse(self, text: str) -> str:
        """Return the allowed value as `allowed` has it.

        Raises:
            ValueError: the text is none of them; the error lists them.
        """
        for option in self.allowed:
            if option.lower() == text.lower():
                return option
        raise ValueError(f"give one of {', '.join(self.allowed)}")


Setting: TypeAlias = Text | Whole | Seconds | Choice


class Readable(Protocol[T_co]):
    """A setting of any kind, as the reader uses it."""

    @property
    def name(self) -> str:
        """Return the name of the environment variable."""
        ...

    @property
    def default(self) -> T_co:
        """Return the value that is used where the variable is not set."""
        ...

    def parse(self, text: str) -> T_co:
        """Return the value that the text stands for; raise ValueError for a wrong one."""
        ...


class SettingsReader:
    """A reader of typed values from a mapping, which collects what is wrong with them.

    `read` returns a usable value even for a bad one, so that reading goes on; `finish` raises for
    all of them. An empty value counts as not set.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Read from this mapping, usually os.environ."""
        self._environment = environment
        self._problems: list[str] = []

    def read(self, setting: Readable[T]) -> T:
        """Return the setting's value, its default where the value is not set or is wrong."""
        text = self._environment.get(setting.name, "").strip()
        if not text:
            return setting.default
        try:
            return setting.parse(text)
        except ValueError as error:
            self.problem(f"{setting.name}={text!r}: {error}")
            return setting.default

    def problem(self, sentence: str) -> None:
        """Add a problem that only the caller can see, such as two settings that clash."""
        self._problems.append(sentence)

    def finish(self) -> None:
        """Raise SettingsError when anything was wrong."""
        if self._problems:
            raise SettingsError(self._problems)
