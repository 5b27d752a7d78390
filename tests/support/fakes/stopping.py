"""Fake of a stop, for tests of the producer and the consumer."""

from __future__ import annotations


class FakeStop:
    """A stop that returns from each wait at once, and keeps the seconds of each in `waits`."""

    def __init__(self, stop_in_wait: int | None = None) -> None:
        """Prepare a stop that requests itself in this wait; 1 is the first, None is never."""
        self.waits: list[float] = []
        self._stop_in_wait = stop_in_wait
        self._requested = False

    def request(self) -> None:
        """Request a stop."""
        self._requested = True

    def requested(self) -> bool:
        """Return whether a stop was requested."""
        return self._requested

    def wait(self, seconds: float) -> bool:
        """Keep the wait, and return whether a stop was requested."""
        self.waits.append(seconds)
        if len(self.waits) == self._stop_in_wait:
            self._requested = True
        return self._requested
