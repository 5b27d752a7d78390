"""Messages in flight in this consumer: received, and neither deleted nor returned yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.attempt import AttemptResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.attempt import Attempt
    from consumer.capacity import HandlingTimes
    from consumer.delivery import Delivery
    from consumer.ports import Ports

NOT_HANDLED: Final = frozenset(
    {AttemptResult.INVALID, AttemptResult.DUPLICATE, AttemptResult.CRASHED}
)
"""Results whose durations do not tell how long a handler takes."""


class InFlightMessage:
    """One message in flight; times are those of the monotonic clock.

    SQS hides the message from other consumers until `hidden_until`. It is `kept` while a heartbeat
    may extend that, and `lost` when SQS has refused to.
    """

    __slots__ = ("delivery", "finished", "hidden_until", "kept", "lost", "received_at", "started")

    def __init__(self, delivery: Delivery, now: float, hidden_until: float) -> None:
        """Start with a message that was received now and waits for its handler."""
        self.delivery = delivery
        self.received_at = now
        self.hidden_until = hidden_until
        self.started = self.finished = self.lost = False
        self.kept = True


@dataclass(frozen=True, slots=True)
class Ended:
    """What is to be acknowledged.

    Attributes:
        attempts: attempts that have ended.
        untouched: messages that no handler has had and that go back to the queue.
        lost: messages that no handler has had and that another consumer may have by now.
    """

    attempts: Sequence[Attempt] = ()
    untouched: Sequence[Delivery] = ()
    lost: Sequence[Delivery] = ()

    def __bool__(self) -> bool:
        """Return whether there is anything to acknowledge."""
        return bool(self.attempts or self.untouched or self.lost)


class InFlight:
    """The messages in flight, shared by worker, pool, acknowledging, heartbeat and shutdown.

    A message waits, then its handler runs, then it is finished, and it stays in flight until it is
    deleted or returned, so that the heartbeat keeps it hidden for as long. Whichever thread takes a
    message's end acknowledges it, so no two threads do so. All methods are safe in any thread.

    A thread that changes visibility timeouts holds `visibility_lock`. Otherwise a heartbeat could
    extend, and so hide again, a message that has just been returned to the queue.
    """

    def __init__(self, ports: Ports, visibility: int, times: HandlingTimes) -> None:
        """Start empty and open; a receive hides messages for `visibility` seconds."""
        self.visibility_lock = ports.threads.condition()
        self._clock = ports.clock
        self._changed = ports.threads.condition()
        self._fewer = ports.threads.condition()
        self._idle = False
        self._visibility = visibility
        self._times = times
        self._messages: dict[int, InFlightMessage] = {}  # by key
        self._unfinished = 0
        self._batch = 1
        self._attempts: list[Attempt] = []
        self._untouched: list[Delivery] = []
        self._lost: list[Delivery] = []
        self._ended = False
        self._deadline: float | None = None

    def __len__(self) -> int:
        """Return how many messages are in flight."""
        return len(self._messages)

    @property
    def deadline(self) -> float | None:
        """Return until when (monotonic) handlers may run after a stop; None without a stop."""
        return self._deadline

    def p95(self) -> float:
        """Return how long 95 of 100 messages take at most."""
        with self._changed:
            return self._times.p95()

    def add(self, deliveries: Sequence[Delivery]) -> None:
        """Add messages that were received now."""
        now = self._clock.monotonic()
        with self._changed:
            for delivery in deliveries:
                self._messages[delivery.key] = InFlightMessage(
                    delivery, now, now + self._visibility
                )
            self._unfinished += len(deliveries)
            if self._idle:
                self._changed.notify_all()

    def start(self, key: int) -> bool:
        """Return whether the message's handler may run: it is here, and hidden from others."""
        with self._changed:
            entry = self._messages.get(key)
            if entry is None:
                return False
            if entry.lost or entry.hidden_until <= self._clock.monotonic():
                self._take_out(key)
                self._lost.append(entry.delivery)
                self._changed.notify_all()
                return False
            entry.started = True
            return True

    def finish(self, attempt: Attempt) -> None:
        """Keep the attempt until it is acknowledged; ignore it if its message was taken out."""
        with self._changed:
            entry = self._messages.get(attempt.delivery.key)
            if entry is None or entry.finished:
                return
            entry.finished = True
            if attempt.handled and attempt.result not in NOT_HANDLED:
                self._times.add(attempt.duration)
            self._attempts.append(attempt)
            self._unfinished -= 1
            # A wake-up costs as much CPU time as a quick handler, so it is not done for each one.
            if len(self._attempts) == self._batch or not self._unfinished:
                self._changed.notify_all()

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Let messages that no handler has had be returned to the queue."""
        if not deliveries:
            return
        with self._changed:
            self._untouched += self._taken_out(delivery.key for delivery in deliveries)
            self._changed.notify_all()
        self._notify_fewer()

    def next_ended(self, most: int, collect: float) -> Ended:
        """Wait for attempts and take up to `most` of them, and whatever else is to be acknowledged.

        An attempt that is not one of `most` waits for others for up to `collect` seconds, unless
        there is nothing to wait for. After `end`, what is left is taken at once, and then nothing.
        """
        self._batch = most

        def complete() -> bool:
            last = bool(self._attempts) and not self._unfinished
            given = self._untouched or self._lost or self._ended
            return last or bool(given) or len(self._attempts) >= most

        with self._changed:
            while not self._changed.wait_for(complete, collect) and not self._attempts:
                self._idle = not self._messages
                if self._idle:
                    self._changed.wait_for(lambda: self._messages or complete())
                    self._idle = False
            return self._take(most)

    def remove(self, deliveries: Iterable[Delivery]) -> None:
        """Remove messages that were deleted, or that could not be."""
        with self._changed:
            for delivery in deliveries:
                self._messages.pop(delivery.key, None)
        self._notify_fewer()

    def wait_for_room(self, most: int) -> None:
        """Wait until no more than so many messages are in flight, or until the consumer stops."""
        with self._fewer:
            self._fewer.wait_for(lambda: len(self._messages) <= most or self._deadline is not None)

    def wait_until_acknowledged(self) -> None:
        """Wait until nothing is in flight, or until the consumer stops."""
        self.wait_for_room(0)

    def close(self, deadline: float) -> None:
        """Note that the consumer stops: handlers may run until this time (monotonic)."""
        self._deadline = deadline
        self._notify_fewer()

    def drain(self, seconds: float) -> bool:
        """Wait until nothing is in flight, at most this long; return whether that is so."""
        with self._fewer:
            return bool(self._fewer.wait_for(lambda: not self._messages, seconds))

    def end(self) -> None:
        """Let no thread wait for further attempts."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take_unfinished(self) -> tuple[list[Delivery], list[Delivery]]:
        """Take out every message that is not finished: those with a handler, and the others."""
        with self._changed:
            left = [entry for entry in self._messages.values() if not entry.finished]
            self._taken_out(entry.delivery.key for entry in left)
            return (
                [entry.delivery for entry in left if entry.started],
                [entry.delivery for entry in left if not entry.started],
            )

    def due(self, before: float) -> list[InFlightMessage]:
        """Return the messages that are kept hidden, but only until this time or an earlier one."""
        with self._changed:
            return [
                entry
                for entry in self._messages.values()
                if entry.kept and entry.hidden_until <= before
            ]

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

    def _notify_fewer(self) -> None:
        with self._fewer:
            self._fewer.notify_all()

    def _take(self, most: int) -> Ended:
        ended = Ended(self._attempts[:most], self._untouched, self._lost)
        self._attempts, self._untouched, self._lost = self._attempts[most:], [], []
        return ended

    def _taken_out(self, keys: Iterable[int]) -> list[Delivery]:
        entries = [self._take_out(key) for key in keys]
        return [entry.delivery for entry in entries if entry is not None]

    def _take_out(self, key: int) -> InFlightMessage | None:
        """Take out a message unless it is finished."""
        entry = self._messages.get(key)
        if entry is None or entry.finished:
            return None
        del self._messages[key]
        self._unfinished -= 1
        return entry
