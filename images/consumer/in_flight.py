"""Messages in flight in this consumer: received, and neither deleted nor returned yet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.attempt import AttemptResult
from consumer.flight.message import InFlightMessage, Left, Unsettled
from consumer.flight.visibility import Visibility

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

    Until when messages are hidden is the business of `visibility`.
    """

    def __init__(self, ports: Ports, visibility: int, times: HandlingTimes) -> None:
        """Start empty and open; a receive hides messages for `visibility` seconds."""
        self._clock = ports.clock
        self._changed = ports.threads.condition()
        self._fewer = ports.threads.condition()
        self._idle = False
        self._hidden = visibility
        self._times = times
        self._messages: dict[int, InFlightMessage] = {}  # by key
        self.visibility = Visibility(self._messages, self._changed, ports)
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
    def unfinished(self) -> int:
        """Return how many messages wait for a handler, or have one."""
        return self._unfinished

    @property
    def deadline(self) -> float | None:
        """Return until when (monotonic) handlers may run after a stop; None without a stop."""
        return self._deadline

    def p95(self) -> float:
        """Return how long 95 of 100 messages take at most."""
        with self._changed:
            return self._times.p95()

    def add(self, deliveries: Sequence[Delivery], late: float = 0.0) -> None:
        """Add messages that were received now, and sent by SQS so many seconds ago (`late`)."""
        now = self._clock.monotonic()
        hidden_until = now - late + self._hidden
        with self._changed:
            for delivery in deliveries:
                self._messages[delivery.key] = InFlightMessage(delivery, now, hidden_until)
            self._unfinished += len(deliveries)
            if self._idle:
                self._changed.notify_all()
        if late > self._hidden / 2:
            self.visibility.on_short()

    def start(self, key: int) -> bool:
        """Return whether the message's handler may run: it is here, and hidden from others."""
        with self._changed:
            entry = self._messages.get(key)
            if entry is None or entry.finished:
                return False
            if entry.lost or entry.hidden_until <= self._clock.monotonic():
                entry.kept = False
                self._lost += self._closed([key])
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
            self._untouched += self._closed(delivery.key for delivery in deliveries)
            self._changed.notify_all()

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

    def wait_until_finished(self, seconds: float) -> None:
        """Wait, at most this long, until no message waits for its handler, or for its end."""
        with self._changed:
            self._changed.wait_for(lambda: not self._unfinished, seconds)

    def end(self) -> None:
        """Let no thread wait for further attempts."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def give_back_unfinished(self) -> list[Delivery]:
        """Let every message that is not finished be returned; return those that a handler had."""
        with self._changed:
            left = [entry for entry in self._messages.values() if not entry.finished]
            self._untouched += self._closed(
                entry.delivery.key for entry in sorted(left, key=lambda entry: entry.started)
            )
            self._changed.notify_all()
            return [entry.delivery for entry in left if entry.started]

    def decide(
        self,
        deletes: Iterable[Delivery],
        returns: Iterable[tuple[Delivery, float]],
        *,
        untouched: bool = False,
    ) -> None:
        """Note what is to become of messages; returns with their delays.

        Those to be returned are `untouched` if no handler has had them to the end.
        """
        now = self._clock.monotonic()
        with self._changed:
            for delivery in deletes:
                if entry := self._messages.get(delivery.key):
                    entry.delete, entry.visible_at = True, None
            for delivery, seconds in returns:
                if entry := self._messages.get(delivery.key):
                    entry.visible_at, entry.untouched = now + seconds, untouched

    def unsettled(self) -> Unsettled:
        """Return what is to be deleted or returned, and is not yet."""
        now = self._clock.monotonic()
        with self._changed:
            entries = list(self._messages.values())
        changes = [
            (entry, (entry.delivery, max(0, math.ceil(entry.visible_at - now))))
            for entry in entries
            if entry.visible_at is not None
        ]
        return Unsettled(
            deletes=[entry.delivery for entry in entries if entry.delete],
            failed=[change for entry, change in changes if not entry.untouched],
            untouched=[change for entry, change in changes if entry.untouched],
        )

    def left(self) -> Left:
        """Return what is in flight."""
        with self._changed:
            entries = list(self._messages.values())
        return Left(
            [entry.delivery for entry in entries],
            [entry.delivery for entry in entries if entry.delete],
        )

    def _notify_fewer(self) -> None:
        with self._fewer:
            self._fewer.notify_all()

    def _take(self, most: int) -> Ended:
        ended = Ended(self._attempts[:most], self._untouched, self._lost)
        self._attempts, self._untouched, self._lost = self._attempts[most:], [], []
        return ended

    def _closed(self, keys: Iterable[int]) -> list[Delivery]:
        """Let no handler have these messages any more; leave out those that are finished."""
        deliveries = []
        for key in keys:
            entry = self._messages.get(key)
            if entry is not None and not entry.finished:
                entry.finished = True
                self._unfinished -= 1
                deliveries.append(entry.delivery)
        return deliveries
