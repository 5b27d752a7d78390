"""Tests of accounts: each message has one origin and one fate, whatever the records say."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.ledger import DELETED, NOT_DELETED, RETURNED, Story, body_of

from shared.body_digest import body_digest
from tidemill.ledger.account import Entry, Fate, Origin
from tidemill.ledger.causes import Cause, Conditions
from tidemill.ledger.figures import figures
from tidemill.ledger.problems import problems_of

NUMBERS = st.integers(1, 6)
INSTANCES = st.sampled_from(["i-1", "i-2"])
OUTCOMES = st.sampled_from(["processed", "failed", "invalid", "rejected", "duplicate", "crashed"])
EVENTS = st.one_of(
    st.tuples(st.just("accepted"), NUMBERS, st.sampled_from("abc")),
    st.tuples(st.just("sending"), NUMBERS, st.just("")),
    st.tuples(OUTCOMES, NUMBERS, INSTANCES),
    st.tuples(st.sampled_from([DELETED, NOT_DELETED, RETURNED]), NUMBERS, INSTANCES),
    st.tuples(st.sampled_from(["started", "stopped", "queue unavailable"]), NUMBERS, INSTANCES),
    st.tuples(st.sampled_from(["work", "dead"]), NUMBERS, st.sampled_from(["", "no body"])),
)


def told(events: list[tuple[str, int, str]], hidden: int = 0) -> Story:
    """Return the story of any events, in this order."""
    story = Story(hidden=hidden)
    for event, number, more in events:
        name = str(number)
        match event:
            case "accepted":
                story.sending(number)
                story.accepted(number, f"{name}{more}")
            case "sending":
                story.sending(number)
            case "work" | "dead":
                getattr(story, event)[f"{name}{more}"] = body_digest(body_of(name))
            case "started" | "stopped" | "queue unavailable":
                story.say(more, event)
            case _ if event in {DELETED, NOT_DELETED, RETURNED}:
                story.say(more, event, name)
            case _:
                story.attempt(more, name, event, receive=1)
    return story


@given(st.lists(EVENTS, max_size=40), st.integers(0, 1))
def test_origins_and_fates_divide_all_messages(
    events: list[tuple[str, int, str]], hidden: int
) -> None:
    """For any records at all, every message that one of them names is counted once in each."""
    story = told(events, hidden)
    history, record, queues = story.history(), story.record(), story.queues()
    account = story.account()

    named = {*history.accepted, *record.named(), *queues.work.seen, *queues.dead.seen}
    assert account.messages.keys() == named
    assert sum(account.of_origin(origin) for origin in Origin) == len(named)
    assert sum(account.count(fate) for fate in Fate) == len(named)
    assert account.of_origin(Origin.ACKNOWLEDGED) == len(history.accepted)
    doubtful = account.of_origin(Origin.RECOVERED) + account.of_origin(Origin.UNIDENTIFIED)
    assert doubtful <= account.indeterminate
    summary = figures(account, history, record)
    ours = summary["sent"] + summary["recovered"]
    assert sum(summary["fates"].values()) == ours
    assert ours + summary["unidentified"] + summary["unexpected"] == len(named)


@given(st.lists(EVENTS, max_size=40), st.integers(0, 1))
def test_a_fate_is_what_the_records_say(events: list[tuple[str, int, str]], hidden: int) -> None:
    """Each fate by its definition, from the events alone."""
    story = told(events, hidden)
    account = story.account()
    lines = [line for _, line in story.worker_lines]

    def ended(name: str, *outcomes: str) -> bool:
        return any(
            line.get("message_id") == name and line.get("outcome") in outcomes for line in lines
        )

    for name, entry in account.messages.items():
        handled = ended(name, "processed", "duplicate")
        deleted = any(line["event"] == DELETED and name in line["message_ids"] for line in lines)
        if name in story.work:
            expected = Fate.STUCK
        elif name in story.dead:
            expected = Fate.DEAD_LETTERED
        elif handled:
            expected = Fate.DONE if deleted else Fate.UNCONFIRMED
        else:
            expected = Fate.UNKNOWN if hidden and not deleted else Fate.LOST
        assert entry.fate is expected, name


@given(st.lists(EVENTS, max_size=40))
def test_all_work_that_was_done_again_is_counted(events: list[tuple[str, int, str]]) -> None:
    """Attempts that processed a message, less one for each message; copies come on top."""
    story = told(events)
    account = story.account()

    again = sum(number - 1 for number in story.record().processed.values())
    copies = account.duplicates[Cause.SENT_AGAIN] + account.duplicates[Cause.SENT_TWICE]
    assert account.duplicates.total() - copies == again
    assert all(number > 0 for number in account.duplicates.values())


def entry_of(story: Story, message_id: str = "1") -> Entry:
    """Return the entry of a message."""
    return story.account().messages[message_id]


def test_a_message_is_done_when_sqs_has_confirmed_its_delete() -> None:
    """A line that it was processed is not enough."""
    story = Story()
    story.sent(1, 2)
    story.attempt("i-1", "1")
    story.done("i-1", "2")

    assert entry_of(story, "1") == Entry(Origin.ACKNOWLEDGED, Fate.UNCONFIRMED)
    assert entry_of(story, "2") == Entry(Origin.ACKNOWLEDGED, Fate.DONE)


def test_a_message_that_nobody_processed_and_no_queue_has_is_lost() -> None:
    """The reason says how far it came."""
    story = Story()
    story.sent(1, 2, 3, 4)
    story.attempt("i-1", "2", "failed")
    story.say("i-1", DELETED, "3")
    story.attempt("i-1", "4", "rejected")
    story.say("i-1", DELETED, "4")

    assert [entry_of(story, name) for name in "1234"] == [
        Entry(Origin.ACKNOWLEDGED, Fate.LOST, "no attempt at it has ended"),
        Entry(Origin.ACKNOWLEDGED, Fate.LOST, "failed: because"),
        Entry(Origin.ACKNOWLEDGED, Fate.LOST, "deleted, not processed"),
        Entry(
            Origin.ACKNOWLEDGED, Fate.LOST, "deleted, and its last attempt was rejected: because"
        ),
    ]


def test_what_a_queue_has_is_there_whatever_the_lines_say() -> None:
    """A message that was processed and not deleted comes again."""
    story = Story()
    story.sent(1, 2, 3)
    story.attempt("i-1", "1")
    story.attempt("i-1", "2", "invalid")
    story.work["1"] = story.dead["2"] = story.dead["3"] = "x"

    assert entry_of(story, "1") == Entry(
        Origin.ACKNOWLEDGED, Fate.STUCK, "processed, and not deleted"
    )
    assert entry_of(story, "2").why == "invalid: because"
    assert entry_of(story, "3") == Entry(Origin.ACKNOWLEDGED, Fate.DEAD_LETTERED)


def test_a_lost_answer_is_recovered_by_the_body() -> None:
    """Once for each answer that was lost; what has another body, or comes too often, is not."""
    story = Story()
    story.sending(1)
    for message_id in ("x", "y", "z"):
        story.attempt("i-1", message_id)
        story.worker_lines[-1][1]["body"] = {"name": "2" if message_id == "y" else "1"}

    origins = Counter(entry.origin for entry in story.account().messages.values())

    assert origins == {Origin.RECOVERED: 1, Origin.UNEXPECTED: 2}
    assert entry_of(story, "x").origin is Origin.RECOVERED


def test_without_a_body_a_lost_answer_is_not_identified() -> None:
    """The log of a fleet may be without content; more of them than lost answers are too many."""
    story = Story()
    story.sending(1)
    for message_id in ("x", "y"):
        story.attempt("i-1", message_id)
        del story.worker_lines[-1][1]["body"]

    origins = Counter(entry.origin for entry in story.account().messages.values())

    assert origins == {Origin.UNIDENTIFIED: 1, Origin.UNEXPECTED: 1}


@pytest.mark.parametrize(
    ("answers", "causes"),
    [
        pytest.param("one lost", {}, id="only-the-lost-one-arrived"),
        pytest.param("lost, then accepted", {Cause.SENT_AGAIN: 1}, id="both-arrived"),
        pytest.param("accepted twice", {Cause.SENT_TWICE: 1}, id="sent-after-an-answer"),
    ],
)
def test_a_line_that_was_sent_twice_is_processed_twice(
    answers: str, causes: dict[Cause, int]
) -> None:
    """After a lost answer that has to be; after an answer it is a fault of the producer."""
    story = Story()
    story.sending(1)
    if answers == "accepted twice":
        story.accepted(1, "x")
    if answers != "one lost":
        story.sending(1)
        story.accepted(1, "y")
        story.done("i-1", "y")
    story.done("i-1", "x")
    for _, line in story.worker_lines:
        line["body"] = {"name": "1"}
    story.say("i-1", "stopped")

    account = story.account()

    assert account.duplicates == causes
    assert [one.name for one in problems_of(account)] == (
        ["sent_twice"] if Cause.SENT_TWICE in causes else []
    )


def test_hidden_messages_leave_it_open_what_is_lost() -> None:
    """Unless SQS has confirmed a delete."""
    story = Story(hidden=1)
    story.sent(1, 2)
    story.say("i-1", DELETED, "2")

    assert (entry_of(story, "1").fate, entry_of(story, "2").fate) == (Fate.UNKNOWN, Fate.LOST)


def test_a_worker_that_was_killed_is_named_unless_a_fault_did_it() -> None:
    """Of a fleet that still runs, nobody is missing."""
    story = Story()
    story.say("i-1", "started")
    story.say("i-2", "started")
    story.say("i-2", "stopped")

    assert story.account().killed == ("i-1",)
    assert story.account(Conditions(faults={"i-1": ("kill",)})).killed == ()
    assert story.account(Conditions(faults={"*": ("sqs down",)})).killed == ("i-1",)
    assert story.account(Conditions(ended=False)).killed == ()
