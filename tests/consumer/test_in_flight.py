"""Tests of what the worker has in in_flight."""

from __future__ import annotations

from support.fakes.consuming import START, message, messages

from consumer.attempt import Attempt, AttemptResult
from consumer.in_flight import InFlight


def done(number: int) -> Attempt:
    """Build the outcome of a processed message."""
    return Attempt(message(number), AttemptResult.PROCESSED, None, 0, 0, START)


def in_flight_of(count: int) -> InFlight:
    """Build a hand that took this many messages at time 0."""
    in_flight = InFlight()
    in_flight.add(messages(count), 0)
    return in_flight


def test_a_finished_message_leaves_the_hand_once() -> None:
    """Whoever takes it out settles it, and nobody else."""
    in_flight = in_flight_of(2)
    assert in_flight.start(message(1))
    in_flight.finish(done(1))
    assert in_flight.take_finished() == [done(1)]
    assert in_flight.take_finished() == []
    assert len(in_flight) == 1


def test_a_closed_hand_gives_out_what_waits_and_starts_nothing() -> None:
    """What runs already may finish."""
    in_flight = in_flight_of(3)
    in_flight.start(message(2))
    assert in_flight.close() == [message(1), message(3)]
    assert not in_flight.start(message(3))
    assert len(in_flight) == 1


def test_a_message_that_comes_into_a_closed_hand_is_not_started() -> None:
    """A receive that was under way when the hand was closed."""
    in_flight = InFlight()
    in_flight.close()
    in_flight.add(messages(1), 0)
    assert not in_flight.start(message(1))
    assert in_flight.close() == [message(1)]


def test_giving_up_leaves_what_is_finished_to_be_settled() -> None:
    """Work that is done is not done again only because a neighbour is stuck."""
    in_flight = in_flight_of(3)
    in_flight.start(message(1))
    in_flight.finish(done(1))
    in_flight.start(message(2))
    assert in_flight.take_unfinished() == [message(2), message(3)]
    assert in_flight.take_finished() == [done(1)]


def test_a_handler_that_comes_back_after_it_was_given_up_changes_nothing() -> None:
    """Its message belongs to somebody else by now."""
    in_flight = in_flight_of(1)
    in_flight.start(message(1))
    in_flight.take_unfinished()
    in_flight.finish(done(1))
    assert in_flight.take_finished() == []


def test_messages_are_due_by_their_last_extension() -> None:
    """Waiting, running or finished, all the same, until they are settled."""
    in_flight = in_flight_of(2)
    in_flight.start(message(1))
    in_flight.finish(done(1))
    assert [entry.received for entry in in_flight.due(0)] == messages(2)
    assert in_flight.mark_extended("receipt-1", 60)
    assert [entry.received for entry in in_flight.due(59)] == [message(2)]
    assert in_flight.oldest_extension() == 0


def test_an_empty_hand_has_nothing_to_extend() -> None:
    """Neither a time nor a message."""
    in_flight = InFlight()
    assert in_flight.oldest_extension() is None
    assert not in_flight.mark_extended("receipt-1", 60)
