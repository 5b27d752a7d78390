"""The rig's clock: AWS's time, which runs a given number of times faster than ours."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RigClock:
    """AWS time in epoch seconds: at `started` both clocks agree, then this one runs ahead.

    `speed` is how many seconds of AWS pass in a second of ours.
    """

    speed: float
    started: float
    _monotonic: float

    @staticmethod
    def start(speed: float) -> RigClock:
        """Return a clock that starts now."""
        return RigClock(speed, time.time(), time.monotonic())

    def now(self) -> float:
        """Return AWS's time in epoch seconds."""
        return self.started + self.wall_seconds() * self.speed

    def wall_seconds(self) -> float:
        """Return our own seconds since the start."""
        return time.monotonic() - self._monotonic

    def real(self, seconds: float) -> float:
        """Return how long AWS's seconds last in ours."""
        return seconds / self.speed
