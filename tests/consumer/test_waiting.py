"""Tests of the deliveries that wait for a handler."""

from __future__ import annotations

from support.fakes.consuming import delivery

from consumer.waiting import Waiting, create_waiting


def waiting_for(count: int) -> Waiting:
    """Build deliveries that wait, numbered from 1."""
    waiting = create_waiting(fifo=False)
    waiting.add([delivery(number) for number in range(1, count + 1)])
    return waiting


def test_deliveries_start_in_their_order() -> None:
    """A handler gets the oldest ones, and no more than there are."""
    waiting = waiting_for(3)
    assert [one.key for one in waiting.take(2)] == [1, 2]
    assert [one.key for one in waiting.take(2)] == [3]
    assert waiting.take(1) == []


def test_what_is_withdrawn_is_not_started() -> None:
    """The first ones are kept, the newest are withdrawn."""
    waiting = waiting_for(4)
    assert [one.key for one in waiting.withdraw(1)] == [2, 3, 4]
    assert len(waiting) == 1
    assert waiting.withdraw(5) == []
    assert [one.key for one in waiting.take(9)] == [1]
