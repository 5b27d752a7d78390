"""Tests of what the worker has in hand."""

from __future__ import annotations

from support.fakes.consuming import START, message, messages

from consumer.in_flight import Hand
from consumer.outcome import Outcome, Result


def done(number: int) -> Outcome:
    """Build the outcome of a processed message."""
    return Outcome(message(number), Result.PROCESSED, None, 0, 0, START)


def hand_of(count: int) -> Hand:
    """Build a hand that took this many messages at time 0."""
    hand = Hand()
    hand.take(messages(count), 0)
    return hand


def test_a_finished_message_leaves_the_hand_once() -> None:
    """Whoever takes it out settles it, and nobody else."""
    hand = hand_of(2)
    assert hand.start(message(1))
    hand.finish(done(1))
    assert hand.take_finished() == [done(1)]
    assert hand.take_finished() == []
    assert len(hand) == 1


def test_a_closed_hand_gives_out_what_waits_and_starts_nothing() -> None:
    """What runs already may finish."""
    hand = hand_of(3)
    hand.start(message(2))
    assert hand.close() == [message(1), message(3)]
    assert not hand.start(message(3))
    assert len(hand) == 1


def test_a_message_that_comes_into_a_closed_hand_is_not_started() -> None:
    """A receive that was under way when the hand was closed."""
    hand = Hand()
    hand.close()
    hand.take(messages(1), 0)
    assert not hand.start(message(1))
    assert hand.close() == [message(1)]


def test_giving_up_leaves_what_is_finished_to_be_settled() -> None:
    """Work that is done is not done again only because a neighbour is stuck."""
    hand = hand_of(3)
    hand.start(message(1))
    hand.finish(done(1))
    hand.start(message(2))
    assert hand.give_up() == [message(2), message(3)]
    assert hand.take_finished() == [done(1)]


def test_a_handler_that_comes_back_after_it_was_given_up_changes_nothing() -> None:
    """Its message belongs to somebody else by now."""
    hand = hand_of(1)
    hand.start(message(1))
    hand.give_up()
    hand.finish(done(1))
    assert hand.take_finished() == []


def test_messages_are_due_by_their_last_extension() -> None:
    """Waiting, running or finished, all the same, until they are settled."""
    hand = hand_of(2)
    hand.start(message(1))
    hand.finish(done(1))
    assert [held.received for held in hand.due(0)] == messages(2)
    assert hand.extended("receipt-1", 60)
    assert [held.received for held in hand.due(59)] == [message(2)]
    assert hand.oldest_extension() == 0


def test_an_empty_hand_has_nothing_to_extend() -> None:
    """Neither a time nor a message."""
    hand = Hand()
    assert hand.oldest_extension() is None
    assert not hand.extended("receipt-1", 60)
