"""Tests of the messages in flight."""

from __future__ import annotations

from support.fakes.consuming import START, delivery, message, messages

from consumer.attempt import Attempt, AttemptResult
from consumer.in_flight import InFlight


def done(number: int) -> Attempt:
    """Build the attempt of a processed message."""
    return Attempt(delivery(number), AttemptResult.PROCESSED, None, 0, START)


def in_flight_of(count: int) -> InFlight:
    """Build this many messages in flight, received at time 0."""
    in_flight = InFlight()
    in_flight.add(messages(count), 0)
    return in_flight


def test_a_finished_message_is_taken_out_once() -> None:
    """Only the thread that takes a message out acknowledges it."""
    in_flight = in_flight_of(2)
    assert in_flight.start(message(1))
    in_flight.finish(done(1))
    assert in_flight.take_finished() == [done(1)]
    assert in_flight.take_finished() == []
    assert len(in_flight) == 1


def test_close_takes_out_waiting_messages_and_starts_nothing() -> None:
    """After `close`, a handler that runs already may finish."""
    in_flight = in_flight_of(3)
    in_flight.start(message(2))
    assert in_flight.close() == [message(1), message(3)]
    assert not in_flight.start(message(3))
    assert len(in_flight) == 1


def test_a_message_added_after_close_is_not_started() -> None:
    """Messages of a receive that was under way during `close` wait, and are not started."""
    in_flight = InFlight()
    in_flight.close()
    in_flight.add(messages(1), 0)
    assert not in_flight.start(message(1))
    assert in_flight.close() == [message(1)]


def test_finished_messages_are_not_among_the_unfinished() -> None:
    """A finished message is acknowledged even if a handler beside it is stuck."""
    in_flight = in_flight_of(3)
    in_flight.start(message(1))
    in_flight.finish(done(1))
    in_flight.start(message(2))
    assert in_flight.take_unfinished() == [message(2), message(3)]
    assert in_flight.take_finished() == [done(1)]


def test_a_handler_that_ends_after_its_message_was_taken_out_changes_nothing() -> None:
    """Another consumer may have the message by then."""
    in_flight = in_flight_of(1)
    in_flight.start(message(1))
    in_flight.take_unfinished()
    in_flight.finish(done(1))
    assert in_flight.take_finished() == []


def test_messages_are_due_by_their_last_extension() -> None:
    """Messages need extending until they are acknowledged, whether waiting, running or finished."""
    in_flight = in_flight_of(2)
    in_flight.start(message(1))
    in_flight.finish(done(1))
    assert [entry.received for entry in in_flight.due(0)] == messages(2)
    assert in_flight.mark_extended("receipt-1", 60)
    assert [entry.received for entry in in_flight.due(59)] == [message(2)]
    assert in_flight.oldest_extension() == 0


def test_nothing_in_flight_means_nothing_to_extend() -> None:
    """With nothing in flight there is neither a due time nor a message to extend."""
    in_flight = InFlight()
    assert in_flight.oldest_extension() is None
    assert not in_flight.mark_extended("receipt-1", 60)
