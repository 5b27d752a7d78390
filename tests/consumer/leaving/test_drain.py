"""Tests of how the time of DRAIN_SECONDS is divided."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.leaving.drain import Drain


def test_the_default_leaves_more_than_half_to_handlers() -> None:
    """Docker gives a container ten seconds."""
    drain = Drain.of(9)
    assert (drain.handlers, drain.calls, drain.logs) == (5.25, 2.25, 1.5)
    assert drain.longest_receive == 4


def test_with_more_time_handlers_get_all_but_fifteen_seconds() -> None:
    """SQS and CloudWatch Logs need no more, however long handlers take."""
    assert Drain.of(75) == Drain(60, 10, 5)


@given(st.floats(1, 86_400))
def test_the_parts_are_the_whole_and_a_receive_ends_within_the_first(seconds: float) -> None:
    """No part is empty, so that something can be returned in any case."""
    drain = Drain.of(seconds)
    assert drain.whole == pytest.approx(seconds)
    assert min(drain.calls, drain.logs) > 0
    assert drain.handlers > seconds / 2
    assert drain.longest_receive == 1 or drain.longest_receive + 1 <= drain.handlers
