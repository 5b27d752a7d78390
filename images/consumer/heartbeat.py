"""The heartbeat: keeps messages in flight hidden from other consumers while handlers run."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Final

from consumer.logs.events import get_logger
from shared.errors import QueueError
from shared.quotas import MAX_VISIBILITY

if TYPE_CHECKING:
    from consumer.in_flight import InFlight, InFlightMessage
    from consumer.ports import Clock, Queue

log = get_logger(__name__)

TWELVE_HOURS: Final = "SQS hides a message for at most 12 hours after its receive"
"""API reference, ChangeMessageVisibility: extending does not reset the 12 hours."""


class Heartbeat:
    """Extends the visibility timeout of every message in flight when half of it has passed."""

    def __init__(self, queue: Queue, in_flight: InFlight, clock: Clock, visibility: int) -> None:
        """Extend by `visibility` whole seconds each time."""
        self._queue = queue
        self._in_flight = in_flight
        self._clock = clock
        self._visibility = visibility
        self._half = visibility / 2
        self._stopped = threading.Event()

    def start(self) -> None:
        """Beat in the background from now on; each beat sets the timer of the next one."""
        self._set_timer(self._half)

    def stop(self) -> None:
        """Prevent further beats."""
        self._stopped.set()

    def beat(self) -> float:
        """Extend what is due; return the seconds until the next beat.

        The next beat is at most half a visibility timeout away, so that a message received right
        after this beat is extended in time.
        """
        with self._in_flight.visibility_lock:
            now = self._clock.monotonic()
            due = [
                entry
                for entry in self._in_flight.due(now - self._half)
                if self._extendable(entry, now)
            ]
            if due:
                self._extend(due, now)
        oldest = self._in_flight.oldest_extension()
        until_due = self._half if oldest is None else oldest + self._half - now
        return min(self._half, max(self._half / 5, until_due))

    def _set_timer(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self._on_timer)
        timer.daemon = True
        timer.start()

    def _on_timer(self) -> None:
        if not self._stopped.is_set():
            self._set_timer(self.beat())

    def _extendable(self, entry: InFlightMessage, now: float) -> bool:
        if self._seconds_left(entry, now) >= 1:
            return True
        self._stop_extending(entry, TWELVE_HOURS)  # beats have failed for all this time
        return False

    def _seconds_left(self, entry: InFlightMessage, now: float) -> int:
        return math.floor(entry.received_at + MAX_VISIBILITY - now)

    def _extend(self, due: list[InFlightMessage], now: float) -> None:
        changes = [
            (entry.received.receipt, min(self._visibility, self._seconds_left(entry, now)))
            for entry in due
        ]
        try:
            refusals = {
                refusal.index: refusal for refusal in self._queue.change_visibility(changes)
            }
        except QueueError as error:
            log.warning("visibility not extended", extra={"fields": {"reason": str(error)}})
            return
        for index, (entry, (receipt, seconds)) in enumerate(zip(due, changes, strict=True)):
            refusal = refusals.get(index)
            if refusal is not None and not refusal.retry:
                self._stop_extending(entry, f"{refusal.code} {refusal.reason}")
            elif refusal is None and seconds < self._visibility:
                self._stop_extending(entry, TWELVE_HOURS)
            elif refusal is None:
                self._in_flight.mark_extended(receipt, now)

    def _stop_extending(self, entry: InFlightMessage, reason: str) -> None:
        """Stop extending the message; warn unless it was acknowledged in the meantime."""
        if self._in_flight.mark_extended(entry.received.receipt, math.inf):
            log.warning(
                "message may be received again while its handler runs",
                extra={"fields": {"message_id": entry.received.message_id, "reason": reason}},
            )
