"""The line with a message's content that each attempt writes, and a sink that drops the content."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec

from consumer.attempt import Attempt, AttemptResult
from consumer.logs.backlog import LARGEST_EVENT, OVERHEAD
from shared.logs import encode_line, one_line, timestamp, without_surrogates
from shared.message import single_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from consumer.ports import Sink

LEVELS: Final = {
    AttemptResult.PROCESSED: "INFO",
    AttemptResult.FAILED: "WARNING",
    AttemptResult.INVALID: "WARNING",
    AttemptResult.REJECTED: "WARNING",
    AttemptResult.RETRY: "INFO",
    AttemptResult.TIMED_OUT: "WARNING",
    AttemptResult.CRASHED: "WARNING",
    AttemptResult.DUPLICATE: "INFO",
}


ATTRIBUTES_LIMIT: Final = 20
VALUE_LIMIT: Final = 512
"""Attributes in a line, and characters or bytes of each: SQS accepts ten, of up to 1 MiB."""
LONGEST_NUMBER: Final = 4_000
"""Digits of a number beyond which a body is logged as text."""
BEGINNING: Final = 1_000
"""Bytes that are kept of a line that CloudWatch Logs does not take and that is no message's."""


class ContentLine(msgspec.Struct, omit_defaults=True):
    """The line's fields, in order; `body` is JSON as the handler got it, `body_text` other text.

    `WithoutContent` relies on the order: `event` is the third field, and the content (attributes
    and body) is the last.
    """

    time: str
    level: str
    event: str
    instance_id: str
    message_id: str
    receive_count: int
    age_seconds: float
    duration_seconds: float
    outcome: str
    reason: str | None = None
    envelope: str | None = None
    group_id: str | None = None
    trace_id: str | None = None
    attributes: dict[str, Any] = {}
    body: msgspec.Raw | None = None
    body_text: str | None = None


_OF_A_MESSAGE: Final = re.compile(rb'\{"time":"[^"]*","level":"[A-Z]+","event":"message",')
_CONTENT: Final = re.compile(rb',"(?:attributes|body|body_text)":')
_DIGITS: Final = re.compile("[0-9]+")
_encoder = msgspec.json.Encoder()
_json = msgspec.json.Decoder(msgspec.Raw)


def content_lines(instance_id: str, attempts: Iterable[Attempt]) -> list[bytes]:
    """Return one encoded line for each attempt."""
    return [one_line(_encoder.encode(_line(instance_id, attempt))) for attempt in attempts]


class WithoutContent:
    """A sink that passes every line on, those of messages without attributes and body."""

    def __init__(self, sink: Sink) -> None:
        """Write to this sink."""
        self._sink = sink

    def write(self, lines: list[bytes]) -> None:
        """Write the lines; other lines than those of messages stay as they are."""
        self._sink.write([_without_content(line) for line in lines])


def fitting(line: bytes) -> bytes:
    """Return the line, or a shorter one in its place if CloudWatch Logs does not take it.

    A message may be as large as an event, so its line may be larger: its content is left out.
    """
    if len(line) + OVERHEAD <= LARGEST_EVENT:
        return line
    short = _without_content(line)
    if len(short) + OVERHEAD <= LARGEST_EVENT:
        return short[:-1] + b',"content_bytes":%d}' % (len(line) - len(short))
    return encode_line(
        {
            "event": "line too long for CloudWatch Logs",
            "level": "WARNING",
            "bytes": len(line),
            "beginning": line[:BEGINNING].decode(errors="replace"),
        }
    )


def _without_content(line: bytes) -> bytes:
    """Return the line up to its content, if it is a message's.

    The fields before the content are numbers and strings, and in a string every quote has a
    backslash, so that the first `,"attributes":` or `,"body":` is the field's name.
    """
    if not _OF_A_MESSAGE.match(line) or not (content := _CONTENT.search(line)):
        return line
    return line[: content.start()] + b"}"


def _line(instance_id: str, attempt: Attempt) -> ContentLine:
    delivery, received = attempt.delivery, attempt.delivery.received
    line = ContentLine(
        time=timestamp(attempt.finished_at),
        level=LEVELS[attempt.result],
        event="message",
        instance_id=instance_id,
        message_id=received.message_id,
        receive_count=received.receive_count,
        age_seconds=round(delivery.age, 3),
        duration_seconds=round(attempt.duration, 6),
        outcome=attempt.result.value,
        envelope=delivery.envelope,
        group_id=received.group_id and without_surrogates(received.group_id),
        trace_id=delivery.trace_id,
    )
    if attempt.reason is not None:
        line.reason = without_surrogates(attempt.reason)
    if received.attributes:
        line.attributes = _attributes(received.attributes)
    if _is_json(delivery.body):
        line.body = single_line(delivery.body)
    else:
        line.body_text = without_surrogates(delivery.body)
    return line


def _attributes(attributes: Mapping[str, str | bytes]) -> dict[str, Any]:
    """Return what the line has of the attributes: long values are cut, many are counted."""
    shown = {
        without_surrogates(name): _value(value)
        for name, value in islice(attributes.items(), ATTRIBUTES_LIMIT)
    }
    if len(attributes) > ATTRIBUTES_LIMIT:
        shown["..."] = f"{len(attributes) - ATTRIBUTES_LIMIT} more"
    return shown


def _value(value: str | bytes) -> object:
    if isinstance(value, bytes):
        return {"base64": value} if len(value) <= VALUE_LIMIT else {"bytes": len(value)}
    short = value if len(value) <= VALUE_LIMIT else value[:VALUE_LIMIT] + "..."
    return without_surrogates(short)


def _is_json(body: str) -> bool:
    """Return whether readers of lines can read the body as JSON; Python's refuses long numbers."""
    try:
        _json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return len(body) <= LONGEST_NUMBER or all(
        digits.end() - digits.start() <= LONGEST_NUMBER for digits in _DIGITS.finditer(body)
    )
