"""Tests of reading settings from the environment."""

from __future__ import annotations

from typing import Final

import pytest

from shared.errors import SettingsError
from shared.settings import Choice, Seconds, SettingsReader, Text, Whole

LEVEL: Final = Choice(name="LEVEL", default="INFO", allowed=("INFO", "WARNING"), meaning="")


def name(default: str = "") -> Text:
    """Declare a text, NAME."""
    return Text(name="NAME", default=default, meaning="")


def count(default: int) -> Whole:
    """Declare a whole number from 1 to 10, COUNT."""
    return Whole(name="COUNT", default=default, low=1, high=10, unit="messages", meaning="")


def wait(default: float, low: float = 0.0, high: float = 20.0) -> Seconds:
    """Declare a duration, WAIT."""
    return Seconds(name="WAIT", default=default, low=low, high=high, meaning="")


def problems(reader: SettingsReader) -> tuple[str, ...]:
    """Return the reader's problems."""
    try:
        reader.finish()
    except SettingsError as error:
        return error.problems
    return ()


def test_values_are_read_and_stripped() -> None:
    """Each kind of value is read, without the white space around it."""
    reader = SettingsReader(
        {"NAME": " orders ", "COUNT": "7", "WAIT": " 2.5", "LEVEL": "warning"},
    )

    assert reader.read(name()) == "orders"
    assert reader.read(count(1)) == 7
    assert reader.read(wait(1.0)) == 2.5
    assert reader.read(LEVEL) == "WARNING"
    assert problems(reader) == ()


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({}, id="absent"),
        pytest.param({"NAME": "", "COUNT": "", "WAIT": "", "LEVEL": ""}, id="empty"),
        pytest.param({"NAME": " ", "COUNT": " ", "WAIT": " ", "LEVEL": " "}, id="blank"),
    ],
)
def test_what_is_not_set_has_its_default(environment: dict[str, str]) -> None:
    """Empty counts as not set, since container tools pass unset variables on as empty ones."""
    reader = SettingsReader(environment)

    assert reader.read(name("orders")) == "orders"
    assert reader.read(count(3)) == 3
    assert reader.read(wait(1.5)) == 1.5
    assert reader.read(LEVEL) == "INFO"
    assert problems(reader) == ()


@pytest.mark.parametrize("value", ["1", "10"])
def test_bounds_are_included(value: str) -> None:
    """The lowest and the highest allowed number are allowed."""
    reader = SettingsReader({"COUNT": value, "WAIT": value})

    assert reader.read(count(5)) == int(value)
    assert reader.read(wait(5.0, 1.0, 10.0)) == float(value)
    assert problems(reader) == ()


@pytest.mark.parametrize("value", ["0", "11", "-1", "ten", "1.5", "0x5", "1e1"])
def test_a_bad_whole_number_is_a_problem_and_reads_as_the_default(value: str) -> None:
    """A bad number is a problem, and reading goes on with the default."""
    reader = SettingsReader({"COUNT": value})

    assert reader.read(count(5)) == 5
    assert problems(reader) == (f"COUNT={value!r}: give a whole number from 1 to 10",)


@pytest.mark.parametrize("value", ["-0.1", "20.1", "nan", "inf", "soon"])
def test_bad_seconds_are_a_problem_and_read_as_the_default(value: str) -> None:
    """A bad duration, NaN included, is a problem, and reading goes on with the default."""
    reader = SettingsReader({"WAIT": value})

    assert reader.read(wait(5.0)) == 5.0
    assert problems(reader) == (f"WAIT={value!r}: give a number of seconds from 0 to 20",)


def test_all_problems_are_reported_at_once() -> None:
    """One start reports all problems."""
    reader = SettingsReader({"COUNT": "none", "LEVEL": "loud"})
    reader.read(count(5))
    reader.read(LEVEL)
    reader.problem("QUEUE_URL is not set")

    assert problems(reader) == (
        "COUNT='none': give a whole number from 1 to 10",
        "LEVEL='loud': give one of INFO, WARNING",
        "QUEUE_URL is not set",
    )
