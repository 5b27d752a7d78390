"""The line with a message's content that each attempt writes, and a sink that drops the content."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from consumer.attempt import Attempt, AttemptResult
from shared.logs import timestamp
from shared.message import single_line

if TYPE_CHECKING:
    from collections.abc import Iterable

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


class ContentLine(msgspec.Struct, omit_defaults=True):
    """The line's fields, in order; `body` is the JSON as sent, `body_text` any other text.

    `WithoutContent` relies on the order: `event` is the third field, and the content is the last.
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
    body: msgspec.Raw | None = None
    body_text: str | None = None


_OF_A_MESSAGE: Final = re.compile(rb'\{"time":"[^"]*","level":"[A-Z]+","event":"message",')
_encoder = msgspec.json.Encoder()
_json = msgspec.json.Decoder(msgspec.Raw)


def content_lines(instance_id: str, attempts: Iterable[Attempt]) -> list[bytes]:
    """Return one encoded line for each attempt."""
    return [_encoder.encode(_line(instance_id, attempt)) for attempt in attempts]


class WithoutContent:
    """A sink that passes every line on, those of messages without `body` and `body_text`."""

    def __init__(self, sink: Sink) -> None:
        """Write to this sink."""
        self._sink = sink

    def write(self, lines: list[bytes]) -> None:
        """Write the lines; other lines than those of messages stay as they are."""
        self._sink.write([_without_content(line) for line in lines])


def _without_content(line: bytes) -> bytes:
    """Return the line up to its content, if it is a message's.

    The fields before the content are numbers and strings, and in a string every quote has a
    backslash, so that the first `,"body` is the field's name.
    """
    if not _OF_A_MESSAGE.match(line):
        return line
    before, found, _ = line.partition(b',"body')
    return before + b"}" if found else line


def _line(instance_id: str, attempt: Attempt) -> ContentLine:
    received = attempt.delivery.received
    line = ContentLine(
        time=timestamp(attempt.finished_at),
        level=LEVELS[attempt.result],
        event="message",
        instance_id=instance_id,
        message_id=received.message_id,
        receive_count=received.receive_count,
        age_seconds=round(attempt.delivery.age, 3),
        duration_seconds=round(attempt.duration, 6),
        outcome=attempt.result.value,
    )
    if attempt.reason is not None:
        line.reason = _encodable(attempt.reason)
    if _is_json(received.body):
        line.body = single_line(received.body)
    else:  # invalid, or for a handler of raw bodies
        line.body_text = _encodable(received.body)
    return line


def _is_json(body: str) -> bool:
    try:
        _json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


def _encodable(text: str) -> str:
    """Return the text without lone surrogates, which cannot be encoded."""
    return text.encode(errors="replace").decode()
