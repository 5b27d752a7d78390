"""Targets around a message: its body, its attributes, its lines, and what handlers print."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypedDict

import msgspec
from hypothesis import strategies as st
from support.fakes.consuming import CIVIC
from support.fuzz.target import Target
from support.fuzz.texts import (
    ENCODABLE,
    TEXT,
    VALUE,
    any_json,
    as_json,
    changed,
    changed_bytes,
    mappings,
)

from consumer.attempt import Attempt, AttemptResult
from consumer.handlers.arrival import Arrival
from consumer.handlers.invocation import plan
from consumer.handlers.parameters import parameters_of
from consumer.logs.message_log import WithoutContent, content_lines
from consumer.messages.envelopes import AUTO, EVENTBRIDGE, NONE, S3, SNS
from consumer.messages.intake import take_in
from consumer.output.lines import LONGEST, NO_ORIGIN, OutputLine, RawLines, encode_output, split
from shared.logs import encode_line
from shared.queue import ReceivedMessage

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

NOW: Final = 1_800_000_000.0

LINE_ENDS: Final = ("\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
"""What some reader of lines takes for the end of one (Python: str.splitlines)."""

CONTROLS: Final = frozenset([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029])


class _Order(msgspec.Struct):
    sku: str
    number: int = 0


@dataclass
class _Customer:
    name: str
    orders: list[_Order]


class _Typed(TypedDict):
    name: str


def of_vehicle(message):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103 - as users write
    return message


def _typed(annotation: object) -> Callable[[object], None]:
    def handler(body: object) -> None:
        """Take a body."""

    handler.__annotations__ = {"body": annotation}
    return handler


@cache
def _kinds() -> tuple[Any, ...]:
    annotations = (str, bytes, dict, object, _Order, _Customer, _Typed, list[_Order], int | None)
    return tuple(parameters_of(one) for one in (of_vehicle, *map(_typed, annotations)))


def one_line(encoded: bytes) -> dict[str, Any]:
    """Check that this is one line of JSON for every reader of lines; return its fields."""
    text = encoded.decode()
    assert text.isprintable() or not CONTROLS & set(map(ord, text)), text
    assert not any(end in text for end in LINE_ENDS), text
    fields = json.loads(text)
    assert isinstance(fields, dict)
    return fields


class _Lines:
    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def write(self, lines: list[bytes]) -> None:
        self.lines += lines


@dataclass(frozen=True)
class _Message:
    body: str
    envelope: str
    attributes: dict[str, str | bytes]
    system: dict[str, str]


_S3_RECORD = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {}}
_ENVELOPES = st.one_of(
    mappings(["Type", "MessageId", "TopicArn", "Message", "Subject", "MessageAttributes"]),
    st.fixed_dictionaries(
        {"Type": ENCODABLE | st.just("Notification"), "MessageId": ENCODABLE},
        optional={
            "TopicArn": ENCODABLE,
            "Message": any_json(),
            "MessageAttributes": mappings(["a"], mappings(["Type", "Value"], ENCODABLE)),
        },
    ),
    mappings(["version", "id", "detail-type", "source", "account", "time", "region", "detail"]),
    st.lists(VALUE | st.just(_S3_RECORD), max_size=3).map(lambda records: {"Records": records}),
).map(as_json)

MESSAGES: Final = st.builds(
    _Message,
    body=st.one_of(any_json(), st.just(CIVIC), _ENVELOPES),
    envelope=st.sampled_from([NONE, AUTO, SNS, EVENTBRIDGE, S3]),
    attributes=st.dictionaries(
        ENCODABLE | st.just("traceparent"), TEXT | st.binary(max_size=600), max_size=4
    ),
    system=st.dictionaries(
        st.sampled_from(["AWSTraceHeader", "MessageGroupId", "SenderId"]), TEXT, max_size=3
    ),
)


def _changed(message: _Message, rng: Random) -> _Message:
    return replace(message, body=changed(message.body, rng))


def _of_bytes(data: bytes) -> _Message:
    envelope = (NONE, AUTO, SNS, EVENTBRIDGE, S3)[data[0] % 5 if data else 0]
    return _Message(data[1:].decode(errors="surrogateescape"), envelope, {}, {})


def check_message(message: _Message) -> None:
    """Any message gets a verdict from a handler of any kind, and one line that any reader reads."""
    received = ReceivedMessage(
        "m-1", "r-1", message.body, 1, NOW, message.attributes, {}, message.system
    )
    [delivery], ended = take_in(message.envelope, [received], 1, NOW)
    results = [(attempt.result, attempt.reason) for attempt in ended.values()]
    arrival = Arrival(
        "m-1", delivery.body, 1, NOW, NOW, NOW + 30, delivery.received.attributes, message.system
    )
    for parameters in _kinds():
        calls, refused = plan(parameters, [arrival], lambda _place, _seconds: None)
        assert len(calls) + len(refused) == 1
        results += [(verdict.result, verdict.reason) for verdict in refused.values()]
    results.append((AttemptResult.PROCESSED, None))
    for result, reason in results:
        [line] = content_lines("i-1", [Attempt(delivery, result, reason, 0.1, NOW)])
        fields = one_line(line)
        assert (fields["event"], fields["outcome"]) == ("message", result.value)
        assert ("body" in fields) != ("body_text" in fields)
        kept = _Lines()
        WithoutContent(kept).write([line])
        short = one_line(kept.lines[0])
        assert not short.keys() & {"body", "body_text", "attributes"}
        assert short == {name: fields[name] for name in short}


class _Awkward:
    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        if "!" in self._text:
            raise ValueError(self._text)
        return self._text


FIELDS: Final = st.dictionaries(
    TEXT | st.integers(), VALUE | TEXT | st.builds(_Awkward, TEXT) | st.binary(), max_size=5
)


def check_line(fields: dict[Any, Any]) -> None:
    """Any fields of a log call become one line."""
    one_line(encode_line(fields))


def _changed_fields(fields: dict[Any, Any], rng: Random) -> dict[Any, Any]:
    return {
        changed(name, rng) if isinstance(name, str) else name: (
            changed(value, rng) if isinstance(value, str) else value
        )
        for name, value in fields.items()
    }


OUTPUT: Final = st.tuples(
    st.lists(st.binary(max_size=60) | TEXT.map(lambda text: text.encode(errors="replace"))),
    TEXT,
    FIELDS,
)


def check_output(output: tuple[list[bytes], str, dict[Any, Any]]) -> None:
    """What a handler prints or logs, in pieces of any size, becomes lines; none of it is lost."""
    pieces, text, fields = output
    raw = RawLines("stdout")
    lines = [line for piece in pieces for line in raw.feed(piece, NOW, NO_ORIGIN)]
    lines += raw.flush(NOW)
    for line in lines:
        one_line(encode_output(line, "i-1"))
    printed = "".join(line.text for line in lines)
    wanted = [part.rstrip(b"\r") for part in b"".join(pieces).split(b"\n")]
    if sum(map(len, pieces)) <= LONGEST:  # otherwise a line is cut, perhaps within a character
        assert printed == "".join(part.decode(errors="replace") for part in wanted)
    for line in split(OutputLine(NOW, "INFO", text, fields={str(k): v for k, v in fields.items()})):
        one_line(encode_output(line, "i-1"))


def _changed_output(
    output: tuple[list[bytes], str, dict[Any, Any]], rng: Random
) -> tuple[list[bytes], str, dict[Any, Any]]:
    pieces, text, fields = output
    return [changed_bytes(piece, rng) for piece in pieces], changed(text, rng), fields


TARGETS: Final = (
    Target("messages", MESSAGES, check_message, _changed, share=3, of_bytes=_of_bytes),
    Target("log-lines", FIELDS, check_line, _changed_fields),
    Target("handler-output", OUTPUT, check_output, _changed_output),
)
