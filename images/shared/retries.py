"""Retries: pauses that grow and differ, and a budget that an outage uses up."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 20.0
"""Seconds, the longest pause of AWS's SDKs ("Retry behavior", AWS SDKs and Tools guide)."""

BUDGET: Final = 10
"""Retries that may be made in a row."""
CALLS_PER_RETRY: Final = 10
"""Calls that succeed, for which the budget grows by a retry."""


def pause_before(attempt: int, rng: Random) -> float:
    """Return the seconds to wait before this attempt (2 is the first retry).

    The pause is random, between 0 and a limit that doubles each time: 0.5, 1, 2, ... up to 20
    seconds. The AWS Architecture Blog calls this "full jitter" ("Exponential Backoff And Jitter").
    """
    return rng.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 2)))


class RetryBudget:
    """How many retries are left; safe in any thread.

    While nothing works, calls soon have a single attempt each, so retries do not multiply the
    requests of an outage.
    """

    def __init__(self) -> None:
        """Start with BUDGET retries."""
        self._lock = threading.Lock()
        self._left = BUDGET * CALLS_PER_RETRY

    def take(self) -> bool:
        """Take a retry; return whether there was one."""
        with self._lock:
            if self._left < CALLS_PER_RETRY:
                return False
            self._left -= CALLS_PER_RETRY
            return True

    def earn(self) -> None:
        """Add what a call that succeeds is worth, up to BUDGET."""
        with self._lock:
            self._left = min(BUDGET * CALLS_PER_RETRY, self._left + 1)
