"""Handling of one message in this process: validate the body, call the handler, keep the result."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from consumer.attempt import Attempt, AttemptResult
from consumer.handlers import Message
from consumer.logs.events import get_logger
from shared.errors import InvalidMessageError
from shared.message import parse

if TYPE_CHECKING:
    from consumer.delivery import Delivery
    from consumer.handlers import Handler
    from consumer.ports import Clock

log = get_logger(__name__)

REASON_LIMIT: Final = 1_000
"""Longest reason kept, in characters: a body may contain a number of a million digits."""


def make_attempt(handler: Handler, clock: Clock, delivery: Delivery) -> Attempt:
    """Validate the message and call the handler; an `Exception` in either becomes a result."""
    started = clock.monotonic()
    result, reason = _result(handler, delivery)
    return Attempt(
        delivery=delivery,
        result=result,
        reason=reason,
        duration=clock.monotonic() - started,
        finished_at=clock.time(),
    )


def _result(handler: Handler, delivery: Delivery) -> tuple[AttemptResult, str | None]:
    received = delivery.received
    latest_year = datetime.fromtimestamp(delivery.received_at, UTC).year + 1
    try:
        parsed = parse(delivery.body, latest_year)
    except InvalidMessageError as error:
        return AttemptResult.INVALID, str(error)[:REASON_LIMIT]
    message = Message(
        received.message_id,
        parsed.vehicle,
        parsed.extra,
        delivery.body,
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
