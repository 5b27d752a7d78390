"""Tests of the delays before a message that was not processed is received again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.retry import IMMEDIATE_RETURNS, RetryDelays, whole_seconds

counts = st.integers(1, 100_000)
seconds = st.floats(0, 43_200)


@pytest.mark.parametrize(
    ("receive_count", "expected"),
    [(1, 30), (2, 60), (3, 120), (5, 480), (6, 900), (7, 900), (100_000, 900)],
)
def test_the_delay_doubles_with_each_receive_up_to_the_cap(
    receive_count: int, expected: float
) -> None:
    """With the defaults: 30 seconds after the first failure, never more than 900."""
    assert RetryDelays(30, 900).failed(receive_count) == expected


@given(base=seconds, longest=seconds, count=counts)
def test_the_delay_never_shrinks_and_never_passes_the_cap(
    base: float, longest: float, count: int
) -> None:
    """This holds for all settings and receive counts."""
    delay = RetryDelays(base, longest).failed(count)
    assert 0 <= delay <= longest
    assert delay <= RetryDelays(base, longest).failed(count + 1)
    assert delay >= min(base, longest)


@given(base=seconds, longest=seconds, count=st.integers(1, IMMEDIATE_RETURNS))
def test_an_invalid_message_comes_back_at_once(base: float, longest: float, count: int) -> None:
    """A delay would only keep an invalid message from the dead-letter queue."""
    assert RetryDelays(base, longest).invalid(count) == 0


def test_an_invalid_message_without_dead_letter_queue_comes_back_ever_later() -> None:
    """Without a delay, a worker that polls continuously would receive the message all the time."""
    delays = [RetryDelays(30, 900).invalid(IMMEDIATE_RETURNS + count) for count in (1, 2, 3, 50)]
    assert delays == [30, 60, 120, 900]


@pytest.mark.parametrize(("seconds", "whole"), [(0, 0), (0.1, 1), (1, 1), (1.01, 2), (30.0, 30)])
def test_seconds_are_rounded_up(seconds: float, whole: int) -> None:
    """SQS has whole seconds; rounded down, the time would be shorter than the setting."""
    assert whole_seconds(seconds) == whole


def test_only_an_invalid_message_comes_back_at_once() -> None:
    """A message whose handler failed waits, in whole seconds."""
    delays = RetryDelays(30.5, 900)
    assert [delays.after(1, invalid=True), delays.after(1, invalid=False)] == [0, 31]
