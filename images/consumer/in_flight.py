"""Messages in flight in this consumer: received, and neither deleted nor returned yet."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.attempt import Attempt
    from shared.queue import ReceivedMessage


class InFlightMessage:
    """One message in flight; times are those of the monotonic clock.

    SQS hides the message for one visibility timeout, counted from `extended_at`.
    """

    __slots__ = ("extended_at", "received", "received_at", "started")

    def __init__(self, received: ReceivedMessage, now: float) -> None:
        """Start with a message that was received now and waits for its handler."""
        self.received = received
        self.received_at = now
        self.extended_at = now
        self.started = False


class InFlight:
    """The messages of one receive, at most ten, shared by worker, heartbeat and shutdown.

    A message waits, then its handler runs, then it is finished. Whichever thread takes a message
    out acknowledges or returns it, so no two threads do so with the same message. All methods are
    safe in any thread.

    A thread that changes visibility timeouts holds `visibility_lock`. Otherwise a heartbeat could
    extend, and so hide again, a message that the shutdown has just returned to the queue.
    """

    def __init__(self) -> None:
        """Start empty and open."""
        self.visibility_lock = threading.Lock()
        self._lock = threading.Lock()
        self._messages: dict[str, InFlightMessage] = {}  # by receipt
        self._finished: list[Attempt] = []
        self._closed = False

    def __len__(self) -> int:
        """Return how many messages are in flight."""
        return len(self._messages)

    def add(self, messages: Sequence[ReceivedMessage], now: float) -> None:
        """Add messages that were received now (monotonic)."""
        with self._lock:
            for message in messages:
                self._messages[message.receipt] = InFlightMessage(message, now)

    def start(self, message: ReceivedMessage) -> bool:
        """Return whether the handler may run: not after `close`, or if the message is taken out."""
        with self._lock:
            entry = self._messages.get(message.receipt)
            if entry is None or self._closed:
                return False
            entry.started = True
            return True

    def finish(self, attempt: Attempt) -> None:
        """Keep the attempt until it is acknowledged; ignore it if its message was taken out."""
        with self._lock:
            if attempt.delivery.received.receipt in self._messages:
                self._finished.append(attempt)

    def take_finished(self) -> list[Attempt]:
        """Take out the messages whose handlers have finished."""
        with self._lock:
            finished, self._finished = self._finished, []
            for attempt in finished:
                del self._messages[attempt.delivery.received.receipt]
            return finished

    def close(self) -> list[ReceivedMessage]:
        """Prevent further handlers from starting; take out the messages that still wait."""
        with self._lock:
            self._closed = True
            waiting = [entry.received for entry in self._messages.values() if not entry.started]
            for message in waiting:
                del self._messages[message.receipt]
            return waiting

    def take_unfinished(self) -> list[ReceivedMessage]:
        """Take out every message that is not finished, even if its handler still runs."""
        with self._lock:
            finished = {attempt.delivery.received.receipt for attempt in self._finished}
            unfinished = [
                entry.received
                for receipt, entry in self._messages.items()
                if receipt not in finished
            ]
            for message in unfinished:
                del self._messages[message.receipt]
            return unfinished

    def due(self, before: float) -> list[InFlightMessage]:
        """Return the messages whose visibility was last extended at or before this time."""
        with self._lock:
            return [entry for entry in self._messages.values() if entry.extended_at <= before]

    def mark_extended(self, receipt: str, now: float) -> bool:
        """Record that the message's visibility was extended; False if it is not in flight."""
        with self._lock:
            entry = self._messages.get(receipt)
            if entry is None:
                return False
            entry.extended_at = now
            return True

    def oldest_extension(self) -> float | None:
        """Return the time of the extension that is longest ago, None if nothing is in flight."""
        with self._lock:
            return min((entry.extended_at for entry in self._messages.values()), default=None)
