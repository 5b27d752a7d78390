"""The line that every message leaves on standard output, with its content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from consumer.outcome import Outcome, Result
from shared.logs import timestamp
from shared.message import single_line

if TYPE_CHECKING:
    from collections.abc import Iterable

LEVELS: Final = {Result.PROCESSED: "INFO", Result.FAILED: "WARNING", Result.INVALID: "WARNING"}


class ContentLine(msgspec.Struct, omit_defaults=True):
    """The line's fields in their order; `body` is the JSON as sent, `body_text` any other text."""

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


_encoder = msgspec.json.Encoder()
_json = msgspec.json.Decoder(msgspec.Raw)


def content_lines(instance_id: str, outcomes: Iterable[Outcome]) -> list[bytes]:
    """Return one encoded line for each outcome."""
    return [_encoder.encode(_line(instance_id, outcome)) for outcome in outcomes]


def _line(instance_id: str, outcome: Outcome) -> ContentLine:
    received = outcome.received
    line = ContentLine(
        time=timestamp(outcome.finished_at),
        level=LEVELS[outcome.result],
        event="message",
        instance_id=instance_id,
        message_id=received.message_id,
        receive_count=received.receive_count,
        age_seconds=round(outcome.age, 3),
        duration_seconds=round(outcome.duration, 6),
        outcome=outcome.result.value,
    )
    if outcome.reason is not None:
        line.reason = _encodable(outcome.reason)
    if outcome.result is Result.INVALID and not _is_json(received.body):
        line.body_text = _encodable(received.body)
    else:
        line.body = single_line(received.body)
    return line


def _is_json(body: str) -> bool:
    try:
        _json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


def _encodable(text: str) -> str:
    """Return the text without lone surrogates, which no encoding of a line can hold."""
    return text.encode(errors="replace").decode()
