"""What the worker has in hand: received, and neither deleted nor returned yet."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.outcome import Outcome
    from shared.queue import Received


class Held:
    """One message in hand; times are those of the monotonic clock.

    SQS hides the message for one visibility timeout from `extended_at` on.
    """

    __slots__ = ("extended_at", "received", "running", "since")

    def __init__(self, received: Received, now: float) -> None:
        """Hold a message that was received now."""
        self.received = received
        self.since = now
        self.extended_at = now
        self.running = False


class Hand:
    """The messages of one receive, so ten at most, shared by worker, heartbeat and shutdown.

    A message waits, then runs, then is finished, and leaves the hand for good with whoever takes
    it out, so that no two threads settle the same one. All methods are safe in any thread.

    `visibility` is held by whoever changes when messages show up again: a heartbeat that comes
    second would otherwise hide a message that has just been returned.
    """

    def __init__(self) -> None:
        """Start empty and open."""
        self.visibility = threading.Lock()
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}
        self._finished: list[Outcome] = []
        self._closed = False

    def __len__(self) -> int:
        """Return how many messages are in hand."""
        return len(self._held)

    def take(self, messages: Sequence[Received], now: float) -> None:
        """Take messages that were received now (monotonic)."""
        with self._lock:
            for message in messages:
                self._held[message.receipt] = Held(message, now)

    def start(self, message: Received) -> bool:
        """Tell whether the message may be handled: it is in hand still, and the hand is open."""
        with self._lock:
            held = self._held.get(message.receipt)
            if held is None or self._closed:
                return False
            held.running = True
            return True

    def finish(self, outcome: Outcome) -> None:
        """Keep the outcome until it is settled, unless the message was given up meanwhile."""
        with self._lock:
            if outcome.received.receipt in self._held:
                self._finished.append(outcome)

    def take_finished(self) -> list[Outcome]:
        """Take out the messages that are finished."""
        with self._lock:
            finished, self._finished = self._finished, []
            for outcome in finished:
                del self._held[outcome.received.receipt]
            return finished

    def close(self) -> list[Received]:
        """Let no further message start; take out those that wait."""
        with self._lock:
            self._closed = True
            waiting = [held.received for held in self._held.values() if not held.running]
            for message in waiting:
                del self._held[message.receipt]
            return waiting

    def give_up(self) -> list[Received]:
        """Take out everything that is not finished, running or not; what is finished stays."""
        with self._lock:
            finished = {outcome.received.receipt for outcome in self._finished}
            left = [held.received for key, held in self._held.items() if key not in finished]
            for message in left:
                del self._held[message.receipt]
            return left

    def due(self, before: float) -> list[Held]:
        """Return the messages whose visibility was last extended at or before this time."""
        with self._lock:
            return [held for held in self._held.values() if held.extended_at <= before]

    def extended(self, receipt: str, now: float) -> bool:
        """Note that the message's visibility was extended; False when it is not in hand."""
        with self._lock:
            held = self._held.get(receipt)
            if held is None:
                return False
            held.extended_at = now
            return True

    def oldest_extension(self) -> float | None:
        """Return when the most urgent message was last extended, or None with an empty hand."""
        with self._lock:
            return min((held.extended_at for held in self._held.values()), default=None)
