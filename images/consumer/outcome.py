"""One attempt at one message, and what came of it."""

from __future__ import annotations

import logging
import traceback
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import msgspec

from consumer.handlers import Message
from shared.errors import InvalidMessageError
from shared.message import parse
from shared.queue import Received  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from consumer.handlers import Handler
    from consumer.ports import Clock

log = logging.getLogger(__name__)

REASON_LIMIT: Final = 1_000
"""Characters of a reason that are kept: a body may hold a number a million digits long."""


class Result(StrEnum):
    """How an attempt ended; the value is the word in the log line."""

    PROCESSED = "processed"
    FAILED = "failed"
    INVALID = "invalid"


class Outcome(msgspec.Struct, frozen=True):
    """An attempt's end at `finished_at` (epoch seconds), after `duration` seconds of work.

    `age` is how many seconds the message had been in the queue when it was received.
    """

    received: Received
    result: Result
    reason: str | None
    age: float
    duration: float
    finished_at: float


def attempt(
    handler: Handler, clock: Clock, received: Received, received_at: float, latest_year: int
) -> Outcome:
    """Validate the message and let the handler have it; no Exception of either gets out.

    Args:
        handler: what to do with a valid message.
        clock: measures the attempt.
        received: the message.
        received_at: when it was received, in epoch seconds.
        latest_year: newest model year that is believed.
    """
    started = clock.monotonic()
    result, reason = _result(handler, received, latest_year)
    return Outcome(
        received=received,
        result=result,
        reason=reason,
        age=max(0.0, received_at - received.sent_at),  # clocks differ from machine to machine
        duration=clock.monotonic() - started,
        finished_at=clock.time(),
    )


def _result(handler: Handler, received: Received, latest_year: int) -> tuple[Result, str | None]:
    try:
        parsed = parse(received.body, latest_year)
    except InvalidMessageError as error:
        return Result.INVALID, str(error)[:REASON_LIMIT]
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
        # Unlike str(error), this survives an exception whose own text cannot be made.
        reason = "".join(traceback.format_exception_only(error)).strip()
        return Result.FAILED, reason[:REASON_LIMIT]
    return Result.PROCESSED, None
