"""Retry delays: how long a message that was not processed stays hidden before its next attempt.

Pure, because the simulator uses it as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from shared.quotas import DEFAULT_MAX_RECEIVE_COUNT

IMMEDIATE_RETURNS: Final = DEFAULT_MAX_RECEIVE_COUNT
"""Receives after which an invalid message is no longer returned at once. A message that is
received more often than SQS's default of maxReceiveCount seems to have no dead-letter queue, and
without a delay the worker would receive it all the time."""


@dataclass(frozen=True, slots=True)
class RetryDelays:
    """Seconds that a failed message stays hidden: from `base`, doubling, up to `longest`."""

    base: float
    longest: float

    def after(self, receive_count: int, *, invalid: bool) -> int:
        """Return the delay as SQS takes it, in whole seconds."""
        delay = self.invalid if invalid else self.failed
        return whole_seconds(delay(receive_count))

    def failed(self, receive_count: int) -> float:
        """Return the delay of a message whose handler failed, in seconds.

        `receive_count` includes the receive that has just failed, so the first failure waits for
        `base`. With a base of 30 and a longest delay of 900: 30, 60, 120, 240, 480, 900, 900.
        """
        doublings = min(receive_count - 1, 64)  # beyond every cap, and below a float's limit
        return float(min(self.base * 2.0**doublings, self.longest))

    def invalid(self, receive_count: int) -> float:
        """Return the delay of an invalid message: none, on its way to the dead-letter queue."""
        if receive_count <= IMMEDIATE_RETURNS:
            return 0.0
        return self.failed(receive_count - IMMEDIATE_RETURNS)


def whole_seconds(seconds: float) -> int:
    """Round up to the whole seconds that SQS takes: never shorter than what was asked for."""
    return math.ceil(seconds)
