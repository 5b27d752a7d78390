"""Tests of the lines with the messages' content."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.consuming import CIVIC, START, delivery, message

from consumer.attempt import Attempt, AttemptResult
from consumer.delivery import Delivery
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


def line_of(delivery: Delivery, result: AttemptResult = AttemptResult.PROCESSED) -> bytes:
    """Return the line for an attempt at this delivery."""
    [encoded] = content_lines("i-0123", [Attempt(delivery, result, None, 0.1, START)])
    return encoded


def with_attributes(attributes: dict[str, str | bytes], **system: str) -> Delivery:
    """Return the delivery of a message with these attributes, and these of SQS's own."""
    received = msgspec.structs.replace(message(1), attributes=attributes, system=system)
    return Delivery(1, received, START, received.body)


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


def test_the_line_has_what_came_beside_the_body() -> None:
    """Attributes, group and trace, each only if there is one."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    delivery = with_attributes(
        {"type": "order", "traceparent": trace, "key": b"\x00\xff"}, MessageGroupId="tenant-1"
    )
    fields = json.loads(line_of(delivery))
    assert fields["group_id"] == "tenant-1"
    assert fields["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert fields["attributes"] == {
        "type": "order",
        "traceparent": trace,
        "key": {"base64": "AP8="},
    }
    assert [*fields][-5:] == ["outcome", "group_id", "trace_id", "attributes", "body"]


def test_attributes_cannot_make_a_line_endless() -> None:
    """A value may have a mebibyte, and an envelope any number of attributes."""
    attributes: dict[str, str | bytes] = {"text": "x" * 600, "data": b"x" * 600}
    fields = json.loads(line_of(with_attributes(attributes)))
    assert fields["attributes"] == {"text": "x" * 512 + "...", "data": {"bytes": 600}}
    many = with_attributes({str(number): "x" for number in range(25)})
    shown = json.loads(line_of(many))["attributes"]
    assert (len(shown), shown["..."]) == (21, "5 more")


def test_what_was_in_an_envelope_is_logged_with_its_kind() -> None:
    """The body is what the handler got."""
    received = message(1, '{"Message": "hello"}')
    fields = json.loads(line_of(Delivery(1, received, START, "hello", "sns")))
    assert (fields["envelope"], fields["body_text"]) == ("sns", "hello")
    assert "body" not in fields


@pytest.mark.parametrize(
    ("result", "level"),
    [
        (AttemptResult.PROCESSED, "INFO"),
        (AttemptResult.RETRY, "INFO"),
        (AttemptResult.DUPLICATE, "INFO"),
        (AttemptResult.FAILED, "WARNING"),
        (AttemptResult.INVALID, "WARNING"),
        (AttemptResult.REJECTED, "WARNING"),
        (AttemptResult.TIMED_OUT, "WARNING"),
        (AttemptResult.CRASHED, "WARNING"),
    ],
)
def test_the_level_says_whether_somebody_should_look(result: AttemptResult, level: str) -> None:
    """A message that was done before, or waits because its handler wants it so, is no problem."""
    fields = json.loads(line_of(with_attributes({}), result))
    assert (fields["level"], fields["outcome"]) == (level, result.value)


def test_a_number_that_readers_refuse_makes_the_body_text() -> None:
    """Python's json reads no number of more than 4,300 digits: the line could not be read."""
    body = f'{{"a": {"1" * 5_000}}}'
    fields = json.loads(line(body, AttemptResult.INVALID, "too large"))
    assert fields["body_text"] == body
    assert json.loads(line("1" * 4_000, AttemptResult.INVALID))["body"] == int("1" * 4_000)


@pytest.mark.parametrize("character", ["\x7f", "\x85", "\x9b", "\u2028", "\u2029"])
@pytest.mark.parametrize("json_body", [True, False], ids=["JSON", "text"])
def test_a_body_cannot_end_its_line(character: str, json_body: bool) -> None:  # noqa: FBT001 - a table
    """Such characters are escaped, and the body means the same."""
    body = f'{{"color": "{character}"}}' if json_body else f"color {character}"
    received = message(1, body)
    encoded = line_of(Delivery(1, received, START, body)).decode()
    assert encoded.splitlines() == [encoded]
    assert character not in encoded
    fields = json.loads(encoded)
    assert fields == fields | ({"body": json.loads(body)} if json_body else {"body_text": body})


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


NAMES = st.text() | st.sampled_from([',"body":', ',"attributes":{', "body", "attributes"])


@given(
    body=BODIES,
    reason=st.none() | st.text() | st.sampled_from([',"body":', '\\",\\"body_text\\":']),
    attributes=st.dictionaries(NAMES, NAMES | st.binary()),
    group=NAMES,
)
def test_without_its_content_a_line_has_all_its_other_fields(
    body: str, reason: str | None, attributes: dict[str, str | bytes], group: str
) -> None:
    """Nothing of the content is left, whatever is in it, in the reason or in the group's id."""
    received = msgspec.structs.replace(
        message(1, body), attributes=attributes, system={"MessageGroupId": group}
    )
    attempt = Attempt(Delivery(1, received, START, body), AttemptResult.INVALID, reason, 0.1, START)
    [encoded] = content_lines("i-0123", [attempt])
    (short,) = passed_on(encoded)
    fields = json.loads(encoded)
    content = {"body", "body_text", "attributes"} & fields.keys()
    assert len(content) == 1 + bool(attributes)
    assert json.loads(short) == {
        name: value for name, value in fields.items() if name not in content
    }


def test_lines_that_are_no_messages_stay_as_they_are() -> None:
    """Metrics and events keep every field, even one that is called body."""
    cycle = encode_line(cycle_line(MetricLabels("Tidemill", "q", "i-1"), Counts(1), 0.5, START))
    event = encode_line({"time": "t", "level": "INFO", "event": "message lost", "body": 1})
    own = b'{"body":"printed by a handler"}'
    assert passed_on(cycle, event, own) == [cycle, event, own]
