"""Tests of the consumer's table of settings: it is complete and matches the consumer."""

from __future__ import annotations

import pytest

from consumer import setting_table as table
from consumer.retry import RetryDelays
from consumer.settings import read
from shared.settings import Choice, Seconds, Setting, Text, Whole

KINDS = (Text, Whole, Seconds, Choice)
DECLARED = {name: value for name, value in vars(table).items() if isinstance(value, KINDS)}


class Recorded(dict[str, str]):
    """An environment that records which names were looked up."""

    def __init__(self, **variables: str) -> None:
        """Hold these variables."""
        super().__init__(variables)
        self.asked: list[str] = []

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]  # narrower than a dict's own
        """Return the variable and note its name."""
        self.asked.append(key)
        return super().get(key, default)


def given_to_sqs(variables: dict[str, str]) -> list[int]:
    """Return the durations that a consumer with these settings sends in its calls to SQS."""
    settings = read({"QUEUE_NAME": "work", **variables}, "host")
    delays = RetryDelays(settings.retry_delay, settings.retry_delay_max)
    return [
        settings.rhythm.receive_wait,
        settings.visibility,
        *(delays.after(count, invalid=False) for count in (1, 50)),
    ]


def test_every_setting_is_in_a_chapter_once() -> None:
    """A setting that is declared and not listed would be missing in docs and tests."""
    assert sorted(setting.name for setting in table.SETTINGS) == sorted(DECLARED)
    assert all(setting.name == name for name, setting in DECLARED.items())


def test_the_consumer_reads_every_setting_of_the_table_and_no_other() -> None:
    """The consumer reads each setting once."""
    environment = Recorded(QUEUE_NAME="work")
    read(environment, "host")
    assert sorted(environment.asked) == sorted(setting.name for setting in table.SETTINGS)


def test_durations_are_named_for_their_unit() -> None:
    """The rig recognizes durations of a handler by the same ending."""
    assert table.DURATIONS
    named = [setting for setting in table.SETTINGS if setting.name.endswith("_SECONDS")]
    assert named == list(table.DURATIONS)


@pytest.mark.parametrize("setting", table.SETTINGS, ids=lambda setting: setting.name)
def test_a_default_is_a_value_that_the_setting_takes(setting: Setting) -> None:
    """An environment that contains the default explicitly gives the same value.

    A default that no environment can contain has words for what it stands for.
    """
    if isinstance(setting, Whole) and not setting.low <= setting.default <= setting.high:
        assert setting.otherwise
        return
    assert setting.parse(str(setting.default)) == setting.default


@pytest.mark.parametrize("setting", table.SETTINGS, ids=lambda setting: setting.name)
def test_a_meaning_is_one_sentence(setting: Setting) -> None:
    """The page of settings shows it in a cell of a table."""
    assert setting.meaning[0].isupper()
    assert setting.meaning.endswith(".")
    assert ". " not in setting.meaning
    assert "|" not in setting.meaning


def test_durations_are_whole_where_they_end_in_a_parameter_of_sqs() -> None:
    """Only these durations change the calls to SQS, rounded up; a drain limits a receive's wait."""
    roomy = {table.DRAIN_SECONDS.name: "60"}
    usual = given_to_sqs(roomy)
    changed = {
        setting.name: given_to_sqs(roomy | {setting.name: str(setting.default / 2 - 0.25)})
        for setting in table.DURATIONS
    }
    assert {name for name, numbers in changed.items() if numbers != usual} == {
        table.DRAIN_SECONDS.name,
        *(setting.name for setting in table.DURATIONS if setting.whole),
    }
    assert all(isinstance(number, int) for numbers in changed.values() for number in numbers)
