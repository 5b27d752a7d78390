"""When a message that was not processed shows up again."""

from __future__ import annotations

import math
from typing import Final

from shared.quotas import DEFAULT_MAX_RECEIVE_COUNT

IMMEDIATE_RETURNS: Final = DEFAULT_MAX_RECEIVE_COUNT
"""Receives after which an invalid message no longer comes back at once. By then SQS's own default
would have moved it to a dead-letter queue; a message that is received more often has none near,
and would keep the worker busy with nothing."""


def retry_delay(base: float, longest: float, receive_count: int) -> float:
    """Return the seconds until a failed message's next attempt: doubling from `base`, capped.

    `receive_count` includes the receive that has just failed, so the first failure waits `base`.
    """
    doublings = min(receive_count - 1, 64)  # far beyond every cap, far below a float's limit
    return float(min(base * 2.0**doublings, longest))


def invalid_delay(base: float, longest: float, receive_count: int) -> float:
    """Return the seconds until an invalid message comes back: none, on its way to dead letters."""
    if receive_count <= IMMEDIATE_RETURNS:
        return 0.0
    return retry_delay(base, longest, receive_count - IMMEDIATE_RETURNS)


def whole_seconds(seconds: float) -> int:
    """Round up to what SQS takes: a shorter time than asked for could break a promise."""
    return math.ceil(seconds)
