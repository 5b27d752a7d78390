"""The computer's clock."""

from __future__ import annotations

import time


class SystemClock:
    """Real time; each method is one call of the standard library."""

    def time(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return the seconds of a clock that is never set back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after this time."""
        time.sleep(seconds)
