"""Tests of the figures of an account."""

from __future__ import annotations

from typing import Any

from support.builders.ledger import DELETED, NOT_DELETED, Story

from tidemill.ledger.figures import figures


def figures_of(story: Story) -> dict[str, Any]:
    """Return the figures of a story."""
    return figures(story.account(), story.history(), story.record())


def test_every_way_in_which_an_attempt_ends_is_counted_by_messages() -> None:
    """A message counts once in each way, however often it was tried."""
    story = Story(dead={"2": "x", "3": "x"})
    story.sent(1, 2, 3)
    for receive, outcome in enumerate(("failed", "failed", "retry", "processed"), 1):
        story.attempt("i-1", "1", outcome, receive)
    story.say("i-1", DELETED, "1")
    for receive, outcome in enumerate(("crashed", "timed_out", "crashed"), 1):
        story.attempt("i-1", "2", outcome, receive)
    story.attempt("i-1", "3", "rejected")
    story.attempt("i-1", "other", "failed")
    story.say("i-1", "cycle", returned=7)

    found = figures_of(story)

    assert (found["processed"], found["failed"], found["retried"]) == (1, 1, 1)
    assert (found["crashed"], found["timed_out"], found["rejected"]) == (1, 1, 1)
    assert (found["returned"], found["dead_lettered"], found["lost"]) == (7, 2, 0)
    assert (found["sent"], found["deleted"], found["unexpected"]) == (3, 1, 1)


def test_poison_is_counted_where_it_ends() -> None:
    """Of the dead letters, it is known which ones were malformed on purpose."""
    story = Story(dead={"p": "x", "1": "x"})
    story.sent(1)
    story.sending(1, poison=True)
    story.accepted(1, "p", poison=True)
    story.sending(2, poison=True)
    story.accepted(2, "q", poison=True)

    found = figures_of(story)

    assert (found["poison"], found["dead_lettered"], found["poison_dead_lettered"]) == (2, 2, 1)
    assert found["lost"] == 1


def test_a_copy_that_was_known_is_not_lost() -> None:
    """An idempotency table has it: the message that it copies was processed."""
    story = Story()
    story.sent(1, 2)
    story.done("i-1", "1")
    story.attempt("i-1", "2", "duplicate")
    story.say("i-1", DELETED, "2")

    found = figures_of(story)

    assert (found["processed"], found["known_copies"], found["lost"]) == (1, 1, 0)
    assert found["deleted"] == 2


def test_dead_letters_have_the_reason_of_their_last_attempt() -> None:
    """The most frequent one comes first; a message without an attempt has one of its own."""
    story = Story(dead=dict.fromkeys("1234", "x"))
    story.sent(1, 2, 3, 4)
    story.attempt("i-1", "1", "failed")
    for name in "12":
        story.attempt("i-1", name, "timed_out", receive=2)
    story.attempt("i-1", "3", "crashed")
    story.worker_lines[-1][1]["reason"] = "x" * 999

    reasons = figures_of(story)["dead_letter_reasons"]

    assert next(iter(reasons.items())) == ("timed_out: because", 2)
    assert reasons == {
        "timed_out: because": 2,
        f"crashed: {'x' * 291}": 1,
        "received too often, and no attempt ended": 1,
    }


def test_causes_are_sentences_with_numbers() -> None:
    """A reader of summary.json needs no table of words."""
    story = Story()
    story.sent(1)
    story.attempt("i-1", "1")
    story.say("i-1", NOT_DELETED, "1", reason="x")
    story.done("i-1", "1", receive=3)

    found = figures_of(story)

    assert found["duplicate_causes"] == {
        "its delete was refused or got no answer, as the worker said": 1
    }
    assert (found["duplicates"], found["unexplained_duplicates"]) == (1, 0)
    assert found["silent_receive_causes"] == {"its worker was killed": 1}
