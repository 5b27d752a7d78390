"""Cycles: what the consumer's threads count, and the line with the counts of each cycle."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from consumer.cycle import REPORT_SECONDS
from consumer.logs.counts import Counts, cycle_line
from shared.logs import encode_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.logs.counts import MetricLabels
    from consumer.ports import Ports


class Cycles:
    """The counts of the current cycle, which begins with its first count; safe in any thread."""

    def __init__(
        self, ports: Ports, labels: MetricLabels, lines_dropped: Callable[[], int] = lambda: 0
    ) -> None:
        """Start at zero; `lines_dropped` returns how many log lines were dropped so far."""
        self._sink = ports.sink
        self._clock = ports.clock
        self._labels = labels
        self._lines_dropped = lines_dropped
        self._dropped_before = 0
        self._lock = threading.Lock()
        self._counts = Counts()
        self._since: float | None = None

    def add(self, counts: Counts) -> None:
        """Add to the cycle's counts."""
        now = self._clock.monotonic()
        with self._lock:
            self._counts += counts
            self._since = now if self._since is None else self._since

    def report(self) -> None:
        """Write the cycle's counts, unless nothing was counted; the next cycle starts at zero."""
        with self._lock:
            counts, self._counts = self._counts, Counts()
            since, self._since = self._since, None
            if since is None:
                return
            before, self._dropped_before = self._dropped_before, self._lines_dropped()
            dropped = self._dropped_before - before
        seconds = self._clock.monotonic() - since
        line = cycle_line(self._labels, counts, seconds, self._clock.time(), dropped)
        self._sink.write([encode_line(line)])

    def report_if_due(self, *, idle: bool) -> None:
        """Write the counts if nothing is in hand (`idle`), or if the last line is long ago."""
        with self._lock:
            since = self._since
        if idle or (since is not None and self._clock.monotonic() - since >= REPORT_SECONDS):
            self.report()
