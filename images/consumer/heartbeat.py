"""Keeps messages in hand hidden from other workers for as long as their handlers take."""

from __future__ import annotations

import logging
import math
import threading
from typing import TYPE_CHECKING, Final

from shared.errors import QueueError
from shared.quotas import MAX_VISIBILITY

if TYPE_CHECKING:
    from consumer.in_flight import Hand, Held
    from consumer.ports import Clock, Queue

log = logging.getLogger(__name__)

TWELVE_HOURS: Final = "SQS hides a message for 12 hours from its receive at most"
"""API reference, ChangeMessageVisibility: extending does not reset the 12 hours."""


class Heartbeat:
    """Extends the visibility of everything in hand when half of it is gone."""

    def __init__(self, queue: Queue, hand: Hand, clock: Clock, visibility: int) -> None:
        """Extend by `visibility` whole seconds each time."""
        self._queue = queue
        self._hand = hand
        self._clock = clock
        self._visibility = visibility
        self._half = visibility / 2
        self._ended = threading.Event()

    def start(self) -> None:
        """Beat in the background from now on; each beat arms the timer of the next."""
        self._arm(self._half)

    def stop(self) -> None:
        """Let no further beat begin."""
        self._ended.set()

    def beat(self) -> float:
        """Extend what is due; return after how many seconds to look again.

        The answer is never longer than half a visibility timeout, so that a message received
        right after this beat is looked at in time.
        """
        with self._hand.visibility:
            now = self._clock.monotonic()
            due = [held for held in self._hand.due(now - self._half) if self._may_stay(held, now)]
            if due:
                self._extend(due, now)
        oldest = self._hand.oldest_extension()
        until_due = self._half if oldest is None else oldest + self._half - now
        return min(self._half, max(self._half / 5, until_due))

    def _arm(self, seconds: float) -> None:
        timer = threading.Timer(seconds, self._on_timer)
        timer.daemon = True
        timer.start()

    def _on_timer(self) -> None:
        if not self._ended.is_set():
            self._arm(self.beat())

    def _may_stay(self, held: Held, now: float) -> bool:
        if self._seconds_left(held, now) >= 1:
            return True
        self._let_go(held, TWELVE_HOURS)  # beats failed for so long
        return False

    def _seconds_left(self, held: Held, now: float) -> int:
        return math.floor(held.since + MAX_VISIBILITY - now)

    def _extend(self, due: list[Held], now: float) -> None:
        changes = [
            (held.received.receipt, min(self._visibility, self._seconds_left(held, now)))
            for held in due
        ]
        try:
            refusals = {
                refusal.index: refusal for refusal in self._queue.change_visibility(changes)
            }
        except QueueError as error:
            log.warning("visibility not extended", extra={"fields": {"reason": str(error)}})
            return
        for index, (held, (receipt, seconds)) in enumerate(zip(due, changes, strict=True)):
            refusal = refusals.get(index)
            if refusal is not None and not refusal.retry:
                self._let_go(held, f"{refusal.code} {refusal.reason}")
            elif refusal is None and seconds < self._visibility:
                self._let_go(held, TWELVE_HOURS)
            elif refusal is None:
                self._hand.extended(receipt, now)

    def _let_go(self, held: Held, reason: str) -> None:
        """Extend the message no more; one that was settled in the meantime is no news."""
        if self._hand.extended(held.received.receipt, math.inf):
            log.warning(
                "message may come again while it is handled",
                extra={"fields": {"message_id": held.received.message_id, "reason": reason}},
            )
