"""Durations in a rig whose time runs faster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemill.rig.durations import rounding, shortened, whole
from tidemill.rig.errors import RigError


def test_only_durations_are_shortened() -> None:
    """Counts and names stay as they are."""
    given_settings = {"POLL_WAIT_SECONDS": "60", "MESSAGES_PER_POLL": "10", "LOG_GROUP": "x"}
    assert shortened(given_settings, 20) == given_settings | {"POLL_WAIT_SECONDS": "3"}


@given(st.integers(0, 43_200), st.floats(1, 60))
def test_whole_seconds_are_never_shorter_than_asked_for(seconds: int, speed: float) -> None:
    """And less than one whole second longer."""
    got = whole(seconds, speed)
    assert got >= seconds / speed
    assert got - seconds / speed < 1


def test_rounding_is_told_where_it_lengthens() -> None:
    """A retry of 30 s is 2 s at speed 20, which stand for 40 s."""
    told = rounding({"RETRY_DELAY_SECONDS": "30", "VISIBILITY_TIMEOUT_SECONDS": "120"}, 20)
    assert told == [
        "RETRY_DELAY_SECONDS: SQS takes whole seconds, so at speed 20 its 30 s last 40 s"
    ]


def test_a_duration_that_is_not_set_is_left_to_the_consumer() -> None:
    """Its own default holds, and nothing is told of it."""
    assert shortened({"RETRY_DELAY_SECONDS": ""}, 20) == {"RETRY_DELAY_SECONDS": ""}
    assert rounding({"RETRY_DELAY_SECONDS": ""}, 20) == []


def test_a_duration_that_is_no_number_is_told() -> None:
    """By its name."""
    with pytest.raises(RigError, match="DRAIN_SECONDS=soon is no number of seconds"):
        shortened({"DRAIN_SECONDS": "soon"}, 20)
