"""Tests of seats: when a worker process that ended is replaced."""

from __future__ import annotations

from consumer.pool.seats import Seat


def test_a_process_that_handled_messages_is_replaced_at_once() -> None:
    """However often that happens: each time it was a message's fault."""
    seat = Seat()
    for now in (10.0, 11.0, 12.0):
        seat.vacate(now, "it died", used=True)
        assert seat.not_before == now
        assert not seat.given_up


def test_a_process_that_lasted_does_not_count_against_the_seat() -> None:
    """Something kills it once a day while the queue is empty; the consumer goes on for ever."""
    seat = Seat()
    for day in range(10):
        seat.started = day * 86_400.0
        seat.vacate(seat.started + 3_600, "it was killed", used=False, ready=True)
        assert seat.not_before == seat.started + 3_600
        assert not seat.given_up


def test_a_process_that_never_works_is_replaced_ever_more_rarely() -> None:
    """After 31 seconds of pauses the seat is given up."""
    seat = Seat()
    pauses = []
    for _ in range(6):
        seat.vacate(0.0, "it died", used=False)
        pauses.append(seat.not_before)
    assert pauses == [1, 2, 4, 8, 16, 30]
    assert seat.given_up
