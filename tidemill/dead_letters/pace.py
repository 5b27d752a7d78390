"""Pace: no more than so many letters a second, over any stretch of a run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

from shared.quotas import MAX_BATCH

if TYPE_CHECKING:
    from shared.stopping import Stop

BATCH_SECONDS: Final = 10.0
"""How long the letters of one receive may take: they are hidden for half a minute."""


class Clock(Protocol):
    """The time."""

    def time(self) -> float:
        """Return the time in epoch seconds."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...


class SystemClock:
    """The time of this machine."""

    def time(self) -> float:
        """Return the time in epoch seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()


class Pace:
    """Waits before each request, so that a rate is kept; without a rate it never waits."""

    def __init__(self, rate: float | None, clock: Clock, stop: Stop) -> None:
        """Let `rate` letters a second pass."""
        self._rate = rate
        self._clock = clock
        self._stop = stop
        self._next = clock.monotonic()

    @property
    def batch(self) -> int:
        """Return how many letters to receive at once."""
        if self._rate is None:
            return MAX_BATCH
        return max(1, min(MAX_BATCH, int(self._rate * BATCH_SECONDS)))

    def wait(self, count: int) -> bool:
        """Wait until `count` letters may pass; return False if a stop was requested."""
        if self._rate is None:
            return not self._stop.requested()
        now = self._clock.monotonic()
        begin = max(now, self._next)
        self._next = begin + count / self._rate
        return not self._stop.wait(begin - now)
