"""One attempt at one message: how it ended, and when."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from consumer.delivery import Delivery


class AttemptResult(StrEnum):
    """How an attempt ended; the value is the word in the log line."""

    PROCESSED = "processed"
    FAILED = "failed"
    INVALID = "invalid"
    REJECTED = "rejected"
    RETRY = "retry"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    DUPLICATE = "duplicate"


class Attempt(msgspec.Struct, frozen=True):
    """An attempt that ended at `finished_at` (epoch seconds) after `duration` seconds of work.

    `reason` says why the message was not processed. `retry_after` is how many seconds the handler
    wants to wait for the next attempt. A message that was not `handled` has an end without having
    been given to a handler.
    """

    delivery: Delivery
    result: AttemptResult
    reason: str | None
    duration: float
    finished_at: float
    retry_after: int | None = None
    handled: bool = True
