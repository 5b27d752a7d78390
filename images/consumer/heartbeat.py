"""The heartbeat: keeps messages in flight hidden from other consumers while handlers run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Protocol

from consumer.logs.events import get_logger
from shared.errors import QueueError
from shared.quotas import MAX_BATCH, MAX_VISIBILITY

if TYPE_CHECKING:
    from consumer.flight.message import InFlightMessage
    from consumer.in_flight import InFlight
    from consumer.ports import Ports

log = get_logger(__name__)

TWELVE_HOURS: Final = "SQS hides a message for at most 12 hours after its receive"
"""API reference, ChangeMessageVisibility: extending does not reset the 12 hours."""

ENDING_SECONDS: Final = 5
"""Time to end a handler at its limit and to return its message, which is hidden for so much longer
than the limit: until then no other consumer should begin with it."""


class TimeLimits(Protocol):
    """What a heartbeat needs of the pool."""

    def running(self) -> dict[int, float]:
        """Return the deadline (epoch seconds) of every delivery that a handler has, by its key."""
        ...


class Heartbeat:
    """Extends the visibility timeout of every message in flight when half of it has passed.

    It does not do so beyond the time limit of a message's handler: should that fail to end, the
    message becomes visible all the same.
    """

    def __init__(
        self, ports: Ports, in_flight: InFlight, limits: TimeLimits, visibility: int
    ) -> None:
        """Extend by `visibility` whole seconds each time; `limits` are those of the handlers."""
        self._queue = ports.queue
        self._clock = ports.clock
        self._threads = ports.threads
        self._visible = in_flight.visibility
        self._limits = limits
        self._visibility = visibility
        self._half = visibility / 2
        self._stop = ports.threads.condition()
        self._stopped = self._hurried = False
        self._visible.on_short = self.hurry

    def start(self) -> None:
        """Beat in the background from now on."""
        self._threads.start("heartbeat", self._run)

    def stop(self) -> None:
        """Prevent further beats."""
        with self._stop:
            self._stopped = True
            self._stop.notify_all()

    def hurry(self) -> None:
        """Beat now: a message has come that may become visible before the next beat."""
        with self._stop:
            self._hurried = True
            self._stop.notify_all()

    def beat(self) -> float:
        """Extend what is due; return the seconds until the next beat.

        The next beat is at most half a visibility timeout away, so that a message received right
        after this beat is extended in time.
        """
        now = self._clock.monotonic()
        due = self._visible.begin_extending(now + self._half)
        try:
            if due:
                self._extend(due, now)
        finally:
            self._visible.end_extending(due)
        first = self._visible.next_due()
        until_due = self._half if first is None else first - self._half - now
        return min(self._half, max(self._half / 5, until_due))

    def _run(self) -> None:
        """Beat until it is stopped, whatever goes wrong in a beat."""
        seconds = self._half
        while True:
            with self._stop:
                self._stop.wait_for(lambda: self._stopped or self._hurried, seconds)
                if self._stopped:
                    return
                self._hurried = False
            seconds = self._half / 5
            try:
                seconds = self.beat()
            except Exception:
                # Whatever it is (memory, threads, an answer that nobody expects): without further
                # beats, every message would be handled a second time.
                log.exception("heartbeat failed, trying again")

    def _extend(self, due: list[InFlightMessage], now: float) -> None:
        limits = self._limits.running()
        entries, changes = [], []
        for entry in due:
            if self._seconds_left(entry, now) < 1:  # beats have failed for all this time
                self._stop_keeping(entry, TWELVE_HOURS)
                continue
            seconds = min(
                self._visibility, self._seconds_left(entry, now), self._within_limit(entry, limits)
            )
            if now + seconds > entry.hidden_until:
                entries.append(entry)
                changes.append((entry.delivery.received.receipt, seconds))
        for begin in range(0, len(changes), MAX_BATCH):
            batch = slice(begin, begin + MAX_BATCH)
            self._change(entries[batch], changes[batch], now)

    def _seconds_left(self, entry: InFlightMessage, now: float) -> int:
        return math.floor(entry.received_at + MAX_VISIBILITY - now)

    def _within_limit(self, entry: InFlightMessage, limits: dict[int, float]) -> int:
        """Return for how long the message may be hidden; one that has no handler, without limit."""
        limit = limits.get(entry.delivery.key)
        if limit is None:
            return self._visibility
        return max(0, math.ceil(limit - self._clock.time()) + ENDING_SECONDS)

    def _change(
        self, entries: list[InFlightMessage], changes: list[tuple[str, int]], now: float
    ) -> None:
        try:
            refusals = {
                refusal.index: refusal for refusal in self._queue.change_visibility(changes)
            }
        except QueueError as error:
            log.warning("visibility not extended", extra={"fields": {"reason": str(error)}})
            return
        for index, (entry, (_, seconds)) in enumerate(zip(entries, changes, strict=True)):
            refusal = refusals.get(index)
            if refusal is not None and not refusal.retry:
                self._stop_keeping(entry, f"{refusal.code} {refusal.reason}", lost=True)
            elif refusal is None:
                self._visible.extended(entry.delivery.key, now + seconds)
                if now + seconds >= entry.received_at + MAX_VISIBILITY - 1:
                    self._stop_keeping(entry, TWELVE_HOURS)

    def _stop_keeping(self, entry: InFlightMessage, reason: str, *, lost: bool = False) -> None:
        """Stop extending the message; warn unless it was acknowledged in the meantime."""
        if self._visible.stop_keeping(entry.delivery.key, lost=lost):
            log.warning(
                "message may be received again while its handler runs",
                extra={
                    "fields": {
                        "message_id": entry.delivery.received.message_id,
                        "reason": reason,
                    }
                },
            )
