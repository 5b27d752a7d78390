"""A stop that tests of producer and consumer request and look into."""

from __future__ import annotations


class FakeStop:
    """A stop that never waits, but notes the waits; requested by the test, or in the n-th wait."""

    def __init__(self, stop_in_wait: int | None = None) -> None:
        """Request a stop in this wait (1 is the first)."""
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
        """Note the wait."""
        self.waits.append(seconds)
        if len(self.waits) == self._stop_in_wait:
            self._requested = True
        return self._requested
