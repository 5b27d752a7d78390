"""One attempt at one message: validate the body, call the handler, record the result."""

from __future__ import annotations

import logging
import traceback
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from consumer.handlers import Message
from shared.errors import InvalidMessageError
from shared.message import parse
from shared.queue import ReceivedMessage  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from consumer.handlers import Handler
    from consumer.ports import Clock

log = logging.getLogger(__name__)

REASON_LIMIT: Final = 1_000
"""Longest reason kept, in characters: a body may contain a number of a million digits."""


class AttemptResult(StrEnum):
    """How an attempt ended; the value is the word in the log line."""

    PROCESSED = "processed"
    FAILED = "failed"
    INVALID = "invalid"


class Attempt(msgspec.Struct, frozen=True):
    """An attempt that ended at `finished_at` (epoch seconds) after `duration` seconds of work.

    `age` is how many seconds the message had been in the queue when it was received. `reason` says
    why the message was not processed.
    """

    received: ReceivedMessage
    result: AttemptResult
    reason: str | None
    age: float
    duration: float
    finished_at: float


def make_attempt(
    handler: Handler, clock: Clock, received: ReceivedMessage, received_at: float, latest_year: int
) -> Attempt:
    """Validate the message and call the handler; an `Exception` in either becomes a result.

    Args:
        handler: what to do with a valid message.
        clock: measures the attempt.
        received: the message.
        received_at: when it was received, in epoch seconds.
        latest_year: newest model year that is accepted.
    """
    started = clock.monotonic()
    result, reason = _result(handler, received, latest_year)
    return Attempt(
        received=received,
        result=result,
        reason=reason,
        age=max(0.0, received_at - received.sent_at),  # SQS's clock may be ahead of ours
        duration=clock.monotonic() - started,
        finished_at=clock.time(),
    )


def _result(
    handler: Handler, received: ReceivedMessage, latest_year: int
) -> tuple[AttemptResult, str | None]:
    try:
        parsed = parse(received.body, latest_year)
    except InvalidMessageError as error:
        return AttemptResult.INVALID, str(error)[:REASON_LIMIT]
    message = Message(
        received.message_id,
        parsed.vehicle,
        parsed.extra,
        received.body,
        received.receive_count,
        received.sent_at,
    )
    try:
        handler(message)
    except Exception as error:
        log.debug(
            "handler failed", exc_info=True, extra={"fields": {"message_id": received.message_id}}
        )
        # Unlike str(error), this works even when the exception's own __str__ raises.
        reason = "".join(traceback.format_exception_only(error)).strip()
        return AttemptResult.FAILED, reason[:REASON_LIMIT]
    return AttemptResult.PROCESSED, None
