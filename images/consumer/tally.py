"""The counts of the cycle under way."""

from __future__ import annotations

import threading
from dataclasses import fields

from consumer.emf import Counts


class Tally:
    """Sums counts up; safe in any thread, since a shutdown settles beside a stuck worker."""

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = threading.Lock()
        self._counts = Counts()

    def add(self, counts: Counts) -> None:
        """Add to the cycle's counts."""
        with self._lock:
            self._counts = _sum(self._counts, counts)

    def take(self) -> Counts:
        """Return the cycle's counts and start again at zero."""
        with self._lock:
            counts, self._counts = self._counts, Counts()
            return counts


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(
        *(getattr(one, field.name) + getattr(other, field.name) for field in fields(Counts))
    )
