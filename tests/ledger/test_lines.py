"""Tests of reading workers' lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.ledger import CUT_OFF, DELETED, LEASE_LOST, RETURNED, Story
from support.fakes.consuming import START, delivery

import consumer
from consumer.attempt import Attempt, AttemptResult
from consumer.logs.message_log import content_lines
from shared.body_digest import body_digest
from tidemill.ledger.lines import (
    DELETABLE,
    LAST,
    NOT_EXTENDED,
    SIGNS,
    STARTED,
    UNAVAILABLE,
    Sign,
    WorkerRecord,
)

BODIES = st.text() | st.dictionaries(st.text(), st.integers() | st.text()).map(
    lambda value: json.dumps(value, indent=1, ensure_ascii=False)
)


@given(BODIES)
def test_a_body_is_recognised_in_the_line_that_the_consumer_writes(body: str) -> None:
    """The digest is that of the body which was sent, whatever it holds."""
    body = body.encode(errors="replace").decode()  # SQS takes no half characters
    ended = Attempt(delivery(7, body), AttemptResult.PROCESSED, None, 0.1, START)
    record = WorkerRecord()
    for line in content_lines("i-1", [ended]):
        record.add("i-1", line)

    assert record.digests.get("id-7") == (body_digest(body) if body else None)
    assert record.processed == {"id-7": 1}


def test_each_event_is_one_that_the_consumer_writes() -> None:
    """A line that was renamed would be taken for one that is missing."""
    folder = Path(consumer.__file__).parent
    source = "".join(path.read_text() for path in folder.rglob("*.py")).replace('"\n', "")

    for event in (*SIGNS, *LAST, STARTED, UNAVAILABLE, NOT_EXTENDED):
        assert f'"{event}"' in source, event
    assert {result.value for result in AttemptResult} >= DELETABLE


def test_lines_are_of_the_run_that_wrote_them() -> None:
    """A worker that was started again begins anew; the beginning of the first may be missing."""
    story = Story()
    story.done("i-1", "a")
    story.say("i-1", "stopped", exit_code=0)
    story.say("i-1", "started")
    story.say("i-2", "started")
    story.attempt("i-1", "a", "failed", receive=2)

    first, second, other = story.record().runs

    assert (first.instance, first.stopped, second.stopped) == ("i-1", True, False)
    assert first.messages["a"].signs == {Sign.DELETED: 1}
    assert second.messages["a"].outcomes == ["failed"]
    assert second.messages["a"].reason == "failed: because"
    assert second.messages["a"].receive_count == 2
    assert (other.instance, other.messages) == ("i-2", {})


def test_what_lines_say_about_messages_is_counted_by_message() -> None:
    """Some name one message, others several."""
    story = Story()
    story.say("i-1", RETURNED, "a", "b")
    story.say("i-1", LEASE_LOST, "a")
    story.say("i-1", CUT_OFF, "a")
    story.say("i-1", "queue unavailable", reason="x")
    story.say("i-1", "visibility not extended", reason="x")

    (run,) = story.record().runs

    assert run.messages["a"].signs == {Sign.RETURNED: 1, Sign.LEASE_LOST: 1, Sign.CUT_OFF: 1}
    assert run.messages["b"].signs == {Sign.RETURNED: 1}
    assert (run.unanswered_receives, run.unextended) == (1, 1)


def test_a_delete_before_the_end_of_an_attempt_is_early() -> None:
    """One after a failed attempt is, too; a rejected message may be deleted, as it was copied."""
    story = Story()
    story.say("i-1", DELETED, "a", "b", "c")
    story.attempt("i-1", "a")
    for message_id, outcome in (("d", "failed"), ("e", "rejected"), ("f", "duplicate")):
        story.attempt("i-1", message_id, outcome)
        story.say("i-1", DELETED, message_id)

    (run,) = story.record().runs

    early = {name for name, handling in run.messages.items() if handling.deleted_early}
    assert early == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    "line",
    [
        *("", "hello", "[1]", "\xff", '{"event": "message"}', "{"),
        '{"time":"yesterday","event":"message","message_id":"b"}',
        '{"time":"2026-01-01T00:00:00Z","event":"message","message_id":5}',
    ],
    ids=repr,
)
def test_lines_of_others_are_passed_over(line: str) -> None:
    """A handler may print anything."""
    record = WorkerRecord()
    record.add("i-1", line.encode())

    assert not any(run.messages for run in record.runs)


def test_a_line_counts_whatever_a_handler_printed_before_it() -> None:
    """A printed dot without a newline does not make a message look lost."""
    story = Story()
    story.attempt("i-1", "a")
    ((_, line),) = story.worker_lines
    record = WorkerRecord()
    record.add("i-1", b"...\r" + json.dumps(line, separators=(",", ":")).encode())

    assert record.processed == {"a": 1}


def test_a_worker_that_ends_at_once_names_what_it_leaves() -> None:
    """What is handled comes again; so does what a receive brings that is still under way."""
    left = "messages left, they will be received again after their visibility timeout"
    story = Story()
    story.say("i-1", left, "a", "b", handled_ids=["b"], receiving=True, reason="a second signal")
    story.say("i-1", "ended at once", exit_code=1)

    (run,) = story.record().runs

    assert run.messages["a"].signs == {Sign.GIVEN_UP: 1}
    assert run.messages["b"].signs == {Sign.NOT_DELETED: 1}
    assert (run.stopped, run.unanswered_receives) == (True, 1)


def test_counts_of_cycles_are_added() -> None:
    """Messages that went back untouched, and lines that could not be delivered."""
    story = Story()
    story.say("i-1", "cycle", returned=3)
    story.say("i-2", "cycle", returned=4, LogLinesDropped=2)
    story.say("i-2", "cycle")

    record = story.record()

    assert (record.returned, record.dropped) == (7, 2)


def test_first_and_last_are_of_processed_messages() -> None:
    """The order of lines does not matter."""
    story = Story()
    story.attempt("i-1", "x", "invalid")
    for message_id in "abc":
        story.attempt("i-1", message_id)
    story.worker_lines.reverse()

    record = story.record()

    assert record.first is not None
    assert record.last is not None
    assert record.last - record.first == 2


def test_the_body_in_an_envelope_recognises_nothing() -> None:
    """The producer's digest is of the whole body."""
    story = Story()
    story.attempt("i-1", "a")
    story.worker_lines[0][1]["envelope"] = "sns"

    assert story.record().digests == {}
