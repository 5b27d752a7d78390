"""Durations in a rig whose time runs faster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.setting_table import DRAIN_SECONDS, DURATIONS, SETTINGS
from tidemill.rig.durations import rounding, shortened, whole
from tidemill.rig.errors import RigError


def test_only_durations_are_shortened() -> None:
    """Counts and names stay as they are."""
    given_settings = {"POLL_WAIT_SECONDS": "60", "MESSAGES_PER_POLL": "10", "LOG_GROUP": "x"}
    assert shortened(given_settings, 20) == given_settings | {"POLL_WAIT_SECONDS": "3"}


def test_a_duration_of_a_handler_is_known_by_its_name() -> None:
    """The consumer's table cannot contain the settings of other people's handlers."""
    assert shortened({"COURIER_SECONDS": "60", "COURIER": "60"}, 20) == {
        "COURIER_SECONDS": "3",
        "COURIER": "60",
    }


def test_every_duration_of_the_consumer_is_shortened_and_rounded_as_the_table_says() -> None:
    """A whole number of seconds lasts longer in AWS's time than the setting says."""
    environment = {setting.name: "1" for setting in SETTINGS}
    shorter = shortened(environment, 20)
    assert [name for name in environment if shorter[name] == "0.05"] == [
        setting.name for setting in DURATIONS if setting is not DRAIN_SECONDS
    ]
    drain, *rounded = [sentence.partition(" ")[0] for sentence in rounding(environment, 20)]
    assert drain == DRAIN_SECONDS.name
    assert rounded == sorted(setting.name for setting in DURATIONS if setting.whole)


@pytest.mark.parametrize(
    ("drain", "speed", "seconds"),
    [("75", 10, "7.5"), ("75", 20, "5"), ("9", 60, "5"), ("3", 60, "3")],
)
def test_a_consumer_has_some_seconds_to_end_at_any_speed(
    drain: str, speed: float, seconds: str
) -> None:
    """SQS and the ends of processes are not faster in a rig; a sentence says so."""
    settings = {"DRAIN_SECONDS": drain}
    assert shortened(settings, speed) == {"DRAIN_SECONDS": seconds}
    assert len(rounding(settings, speed)) == (float(seconds) > float(drain) / speed)


@given(st.integers(0, 43_200), st.floats(1, 60))
def test_whole_seconds_are_never_shorter_than_asked_for(seconds: int, speed: float) -> None:
    """They are less than one whole second longer."""
    got = whole(seconds, speed)
    assert got >= seconds / speed
    assert got - seconds / speed < 1


def test_rounding_is_reported_where_it_lengthens() -> None:
    """A retry of 30 s is 2 s at speed 20, which stand for 40 s."""
    sentences = rounding({"RETRY_DELAY_SECONDS": "30", "VISIBILITY_TIMEOUT_SECONDS": "120"}, 20)
    (sentence,) = sentences
    assert sentence == (
        "RETRY_DELAY_SECONDS is 40 s of AWS's time here instead of 30 s: at speed 20, 30 s are "
        "1.5 s, and SQS counts whole seconds"
    )


def test_a_duration_that_is_not_set_is_left_to_the_consumer() -> None:
    """Its own default holds, and no sentence mentions it."""
    assert shortened({"RETRY_DELAY_SECONDS": ""}, 20) == {"RETRY_DELAY_SECONDS": ""}
    assert rounding({"RETRY_DELAY_SECONDS": ""}, 20) == []


def test_a_duration_that_is_no_number_is_an_error() -> None:
    """The error has the setting's name."""
    with pytest.raises(RigError, match="DRAIN_SECONDS=soon is not a number of seconds"):
        shortened({"DRAIN_SECONDS": "soon"}, 20)
