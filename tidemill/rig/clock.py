"""Clock of a rig: AWS's time, which runs faster than wall-clock time by a factor."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class AwsClock(Protocol):
    """AWS's time, which passes `speed` times faster than wall-clock time."""

    @property
    def speed(self) -> float:
        """Return how many seconds of AWS pass in a second of wall-clock time."""
        ...

    def now(self) -> float:
        """Return AWS's time in epoch seconds."""
        ...


@dataclass(frozen=True, slots=True)
class RigClock:
    """AWS's time in epoch seconds: equal to wall-clock time at `started`, ahead of it afterwards.

    At speed 60, ten seconds after the start it shows ten minutes after the start. `speed` is how
    many seconds of AWS pass in a second of wall-clock time.
    """

    speed: float
    started: float
    _monotonic: float

    @staticmethod
    def start(speed: float) -> RigClock:
        """Return a clock that starts now."""
        return RigClock(speed, time.time(), time.monotonic())

    @staticmethod
    def resume(file: Path, speed: float) -> RigClock:
        """Return the clock that is kept in a file, or start one and keep it there.

        So AWS's time goes on where a controller was killed; otherwise it would go back to
        wall-clock time. A clock of another speed is not continued.
        """
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            started = float(kept["started"])
            usable = kept["speed"] == speed and started <= time.time()
        except (OSError, ValueError, LookupError, TypeError):
            usable = False
        if usable:
            return RigClock(speed, started, time.monotonic() - (time.time() - started))
        fresh = RigClock.start(speed)
        file.write_text(json.dumps({"started": fresh.started, "speed": speed}), encoding="utf-8")
        return fresh

    def now(self) -> float:
        """Return AWS's time in epoch seconds."""
        return self.started + self.wall_seconds() * self.speed

    def wall_seconds(self) -> float:
        """Return the wall-clock seconds since the start."""
        return time.monotonic() - self._monotonic

    def real(self, seconds: float) -> float:
        """Return seconds of AWS's time as wall-clock seconds: at speed 20, 60 s are 3 s."""
        return seconds / self.speed
