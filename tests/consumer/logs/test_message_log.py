"""Tests of the lines with the messages' content."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.consuming import CIVIC, START, delivery

from consumer.attempt import Attempt, AttemptResult
from consumer.logs.counts import Counts, MetricLabels, cycle_line
from consumer.logs.message_log import WithoutContent, content_lines
from shared.logs import encode_line


def line(body: str, result: AttemptResult, reason: str | None = None) -> bytes:
    """Return the line for a message with this body."""
    outcome = Attempt(
        delivery=delivery(7, body, receive_count=2, sent_at=START - 4.98765),
        result=result,
        reason=reason,
        duration=0.01234567,
        finished_at=START,
    )
    [encoded] = content_lines("i-0123", [outcome])
    return encoded


def test_a_processed_message_leaves_its_json_as_it_was_sent() -> None:
    """The body keeps its spaces and order; the line has no fields without a value."""
    body = CIVIC.replace(",", ", ")
    assert line(body, AttemptResult.PROCESSED) == (
        b'{"time":"2026-09-21T14:13:20.000+00:00","level":"INFO","event":"message",'
        b'"instance_id":"i-0123","message_id":"id-7","receive_count":2,"age_seconds":4.988,'
        b'"duration_seconds":0.012346,"outcome":"processed","body":' + body.encode() + b"}"
    )


def test_a_message_of_many_lines_is_one_line() -> None:
    """Readers of the log take each line as one message."""
    encoded = line(json.dumps(json.loads(CIVIC), indent=2), AttemptResult.PROCESSED)
    assert b"\n" not in encoded
    assert json.loads(encoded)["body"] == json.loads(CIVIC)


def test_a_failed_message_says_why() -> None:
    """The line of a failed message is a warning with reason and body."""
    fields = json.loads(line(CIVIC, AttemptResult.FAILED, "ValueError: no"))
    assert (fields["level"], fields["outcome"]) == ("WARNING", "failed")
    assert fields["reason"] == "ValueError: no"
    assert fields["body"]["vehicleId"] == "VH2001"


def test_a_raw_body_that_is_no_json_is_a_text() -> None:
    """A handler of raw bodies has processed it, and the line is JSON all the same."""
    fields = json.loads(line("ISA*00*", AttemptResult.PROCESSED))
    assert (fields["outcome"], fields["body_text"]) == ("processed", "ISA*00*")


@pytest.mark.parametrize("body", ['{"vehicleId": 3}', "[1]", "null", '"text"', '{"a":\n1}'])
def test_an_invalid_message_that_is_json_stays_json(body: str) -> None:
    """An invalid body that is JSON can be searched like a valid one."""
    fields = json.loads(line(body, AttemptResult.INVALID, "why"))
    assert fields["outcome"] == "invalid"
    assert fields["body"] == json.loads(body)
    assert "body_text" not in fields


@pytest.mark.parametrize("body", ["hello", '{"a":', "two\nlines", "", "[" * 50_000, '{"a":NaN}'])
def test_an_invalid_message_that_is_not_json_is_text(body: str) -> None:
    """Text that is not JSON is embedded as a string, or the line would not be JSON."""
    encoded = line(body, AttemptResult.INVALID, "not JSON")
    assert b"\n" not in encoded
    assert json.loads(encoded)["body_text"] == body
    assert "body" not in json.loads(encoded)


def test_half_a_character_is_replaced() -> None:
    """A lone surrogate cannot be encoded, and must not stop the worker."""
    fields = json.loads(line("\ud800", AttemptResult.INVALID, "can't encode \ud800"))
    assert (fields["body_text"], fields["reason"]) == ("?", "can't encode ?")


class Kept:
    """A sink that keeps the lines."""

    def __init__(self) -> None:
        """Begin without a line."""
        self.lines: list[bytes] = []

    def write(self, lines: list[bytes]) -> None:
        """Keep the lines."""
        self.lines += lines


def passed_on(*lines: bytes) -> list[bytes]:
    """Return what a sink behind WithoutContent gets."""
    kept = Kept()
    WithoutContent(kept).write([*lines])
    return kept.lines


BODIES = st.one_of(
    st.text(),
    st.sampled_from([',"body":1', '{"body":{"body":1}}', '"},\\"body\\":"', "\ud800"]),
    st.recursive(st.text() | st.integers(), lambda part: st.dictionaries(st.text(), part)).map(
        json.dumps
    ),
)


@given(
    body=BODIES,
    reason=st.none() | st.text() | st.sampled_from([',"body":', '\\",\\"body_text\\":']),
)
def test_without_its_content_a_line_has_all_its_other_fields(body: str, reason: str | None) -> None:
    """Nothing of the content is left, whatever is in it or in the reason."""
    encoded = line(body, AttemptResult.INVALID, reason)
    (short,) = passed_on(encoded)
    fields = json.loads(encoded)
    content = {"body", "body_text"} & fields.keys()
    assert len(content) == 1
    del fields[content.pop()]
    assert json.loads(short) == fields


def test_lines_that_are_no_messages_stay_as_they_are() -> None:
    """Metrics and events keep every field, even one that is called body."""
    cycle = encode_line(cycle_line(MetricLabels("Tidemill", "q", "i-1"), Counts(1), 0.5, START))
    event = encode_line({"time": "t", "level": "INFO", "event": "message lost", "body": 1})
    own = b'{"body":"printed by a handler"}'
    assert passed_on(cycle, event, own) == [cycle, event, own]
