"""Visibility: until when SQS hides the messages in flight, and who may change that."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shared.quotas import MAX_VISIBILITY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from consumer.delivery import Delivery
    from consumer.flight.message import InFlightMessage
    from consumer.ports import Condition, Ports


class Visibility:
    """The times until which messages are hidden; all methods are safe in any thread.

    A message is not returned while a heartbeat is just extending it, and not extended from then on:
    otherwise it could be hidden again after its return.
    """

    def __init__(
        self, messages: Mapping[int, InFlightMessage], changed: Condition, ports: Ports
    ) -> None:
        """Share the messages, by key, and their lock with consumer.in_flight.

        `on_short` is called when a message was added of whose time more than half is gone already.
        """
        self._messages = messages
        self._changed = changed
        self._clock = ports.clock
        self._extended = ports.threads.condition()
        self.on_short: Callable[[], None] = lambda: None

    def begin_extending(self, before: float) -> list[InFlightMessage]:
        """Return the messages that are kept hidden, but only until this time or an earlier one.

        They are not returned to the queue until `end_extending`.
        """
        now = self._clock.monotonic()
        with self._changed:
            due = [
                entry
                for entry in self._messages.values()
                if entry.kept and entry.hidden_until <= before
            ]
            for entry in due:
                entry.extending = True
                entry.lapsed = entry.lapsed or entry.hidden_until <= now
            return due

    def end_extending(self, entries: Iterable[InFlightMessage]) -> None:
        """Note that requests to extend these messages are over."""
        with self._extended:
            for entry in entries:
                entry.extending = False
            self._extended.notify_all()

    def extended(self, key: int, hidden_until: float) -> None:
        """Note until when SQS hides the message now."""
        with self._changed:
            if entry := self._messages.get(key):
                entry.hidden_until = hidden_until

    def stop_keeping(self, key: int, *, lost: bool) -> bool:
        """Extend the message no more; return whether it is in flight.

        If it is `lost` (another consumer may have it), its handler does not start.
        """
        with self._changed:
            entry = self._messages.get(key)
            if entry is None:
                return False
            entry.kept = False
            entry.lost = lost
            return True

    def next_due(self) -> float | None:
        """Return when the first message that is kept would become visible, None without one."""
        with self._changed:
            times = (entry.hidden_until for entry in self._messages.values() if entry.kept)
            return min(times, default=None)

    def late(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """Return the messages that others may have received by now, and nobody has warned of."""
        now = self._clock.monotonic()
        with self._changed:
            entries = [self._messages.get(delivery.key) for delivery in deliveries]
            return [
                entry.delivery
                for entry in entries
                if entry is not None
                and not entry.lost
                and (entry.lapsed or entry.hidden_until <= now)
            ]

    def stop_hiding(
        self, changes: Sequence[tuple[Delivery, int]], patience: float
    ) -> dict[int, int]:
        """Prepare to return messages after these delays; return the delays by key.

        A heartbeat that is just extending one of them has so many seconds (`patience`) to end. A
        delay ends no later than SQS can hide a message, 12 hours after its receive.
        """
        now, delays = self._clock.monotonic(), {}
        with self._changed:
            for delivery, seconds in changes:
                delays[delivery.key] = min(seconds, MAX_VISIBILITY)
                if entry := self._messages.get(delivery.key):
                    entry.kept = False
                    longest = math.floor(entry.received_at + MAX_VISIBILITY - now)
                    delays[delivery.key] = max(0, min(seconds, longest))
        mine = [self._messages.get(delivery.key) for delivery, _ in changes]
        with self._extended:
            self._extended.wait_for(
                lambda: not any(entry is not None and entry.extending for entry in mine), patience
            )
        return delays
