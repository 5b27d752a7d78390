"""Tests of problems: a run that kept its promises has none, and no line of it can be missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.builders.ledger import (
    CUT_OFF,
    DELETED,
    LEASE_LOST,
    NOT_DELETED,
    RETURNED,
    Story,
)

from tidemill.ledger.causes import Conditions
from tidemill.ledger.figures import figures
from tidemill.ledger.lines import NOT_EXTENDED
from tidemill.ledger.problems import problems_of

LIVES = st.sampled_from(
    ["done", "retried", "not deleted", "lease lost", "returned", "cut off", "poison", "copied"]
)
"""Lives of messages with a worker that keeps its promises."""


def live(story: Story, number: int, life: str) -> None:
    """Let a message live this life, with two workers."""
    name = str(number)
    story.sent(number)
    match life:
        case "retried":
            story.attempt("i-1", name, "failed")
            story.done("i-2", name, receive=2)
        case "not deleted":
            story.attempt("i-1", name)
            story.say("i-1", NOT_DELETED, name, reason="no answer")
            story.done("i-2", name, receive=2)
        case "lease lost":
            story.say("i-1", NOT_EXTENDED, reason="no answer")
            story.say("i-1", LEASE_LOST, name)
            story.done("i-1", name)
            story.done("i-2", name, receive=2)
        case "returned":
            story.say("i-1", RETURNED, name)
            story.done("i-2", name, receive=2)
        case "cut off":
            story.say("i-1", CUT_OFF, name)
            story.say("i-1", RETURNED, name)
            story.done("i-2", name, receive=2)
        case "poison":
            for receive in (1, 2, 3):
                story.attempt("i-1", name, "invalid", receive)
            story.dead[name] = "x"
        case "copied":
            story.attempt("i-1", name, "rejected")
            story.say("i-1", DELETED, name)
            story.dead[name] = "x"
        case _:
            story.done("i-1", name)


def lived(lives: list[str]) -> Story:
    """Return the story of messages with these lives."""
    story = Story()
    for number, life in enumerate(lives, 1):
        live(story, number, life)
    story.say("i-1", "stopped")
    story.say("i-2", "stopped")
    return story


@given(st.lists(LIVES, max_size=8))
def test_a_run_that_kept_its_promises_has_no_problem(lives: list[str]) -> None:
    """Whatever happened to its messages, every line explains what came after it."""
    story = lived(lives)
    account = story.account()

    assert problems_of(account) == []
    assert figures(account, story.history(), story.record())["problems"] == []


@given(st.lists(LIVES, min_size=1, max_size=5), st.data())
def test_no_line_of_a_worker_can_be_missing(lives: list[str], data: st.DataObject) -> None:
    """A worker that did not do, or did not say, one thing is found out.

    Apart from what only explains an end that needs no reason: the attempts of a message that is
    among the dead letters, and the lines about handlers that were cut off. A worker that could not
    keep a message hidden says so in two ways.
    """
    story = lived(lives)
    spare = {number for number, life in enumerate(lives, 1) if life in {"poison", "copied"}}
    needed = [
        place
        for place, (_, line) in enumerate(story.worker_lines)
        if line["event"] not in {CUT_OFF, NOT_EXTENDED, LEASE_LOST}
        and not spare & set(map(int, [line.get("message_id", 0), *line.get("message_ids", [])]))
    ]
    missing = data.draw(st.sampled_from(needed))
    instance, line = story.worker_lines.pop(missing)
    if line["event"] == "stopped" and instance not in dict(story.worker_lines):
        return  # nothing at all is known of that worker

    assert problems_of(story.account()), line


@given(st.lists(LIVES, min_size=1, max_size=5), st.data())
def test_no_sent_message_can_be_missing_and_none_too_many(
    lives: list[str], data: st.DataObject
) -> None:
    """What is processed was sent, and what was sent has an end."""
    story = lived(lives)
    number = data.draw(st.integers(1, len(lives)))
    without = Story([], story.worker_lines, story.work, story.dead)
    without.sent(*(n for n in range(1, len(lives) + 1) if n != number))
    with_one_more = Story([*story.sent_lines], story.worker_lines, story.work, story.dead)
    with_one_more.sent(len(lives) + 1)

    assert "unexpected" in {one.name for one in problems_of(without.account())}
    assert [one.name for one in problems_of(with_one_more.account())] == ["lost"]


def test_each_problem_is_a_sentence_with_examples() -> None:
    """It says how many there are, and names the first three."""
    story = Story(work={"5": "x"}, hidden=0)
    story.sent(1, 2, 3, 4, 5)
    story.say("i-1", "cycle", LogLinesDropped=0)

    texts = [str(one) for one in problems_of(story.account())]

    assert texts == [
        "4 messages lost: not processed, and in no queue (1, 2, 3, ...)",
        "1 messages stuck: still in the work queue (5)",
        "1 workers ended without their last line: killed (i-1)",
    ]


def test_what_is_not_known_is_not_called_lost() -> None:
    """Lines that were dropped, and messages at which nobody could look, leave it open."""
    story = Story(hidden=2)
    story.sent(1)
    story.say("i-1", "cycle", LogLinesDropped=3)
    story.say("i-1", "stopped")

    found = problems_of(story.account())

    assert [(one.name, one.number, one.proven) for one in found] == [
        ("unknown", 1, False),
        ("hidden", 2, False),
        ("dropped", 3, False),
    ]
    assert str(found[0]).startswith("not proven: 1 messages not found in incomplete records")


def test_a_killed_worker_excuses_what_it_could_not_say() -> None:
    """If its death is known; the message that it had is processed by another one."""
    story = Story()
    story.sent(1, 2)
    story.attempt("i-1", "1")
    story.done("i-2", "1", receive=2)
    story.done("i-2", "2", receive=2)
    story.say("i-2", "stopped")

    found = problems_of(story.account())

    assert [one.name for one in found] == ["killed"]
    assert problems_of(story.account(Conditions(faults={"i-1": ("kill",)}))) == []
