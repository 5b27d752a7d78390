"""Consumers that are broken on purpose, one for each promise: the universes have to find each."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from support.universes.life import Blueprint
from support.universes.requests import UniverseDeadLetters

from consumer.acknowledge import Acknowledger
from consumer.flight.visibility import Visibility
from consumer.heartbeat import Heartbeat
from consumer.in_flight import InFlight
from consumer.pool.threads import ThreadPool
from consumer.waiting import Line
from shared.errors import QueueError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.acknowledge import Endings
    from consumer.attempt import Attempt
    from consumer.capacity import HandlingTimes
    from consumer.delivery import Delivery
    from consumer.handlers.handler import Handler
    from consumer.logs.cycles import Cycles
    from consumer.pool.threads import PoolLimits
    from consumer.ports import PoolReports, Ports, Queue
    from shared.queue import Refusal


class DeletesFirst(ThreadPool):
    """Deletes messages before it handles them, as Celery does by default."""

    def __init__(
        self, load: Callable[[], Handler], limits: PoolLimits, ports: Ports, reports: PoolReports
    ) -> None:
        """Keep the queue."""
        super().__init__(load, limits, ports, reports)
        self._queue = ports.queue

    def submit(self, deliveries: Sequence[Delivery]) -> None:
        """Delete, then handle."""
        if deliveries:
            with suppress(QueueError):
                self._queue.delete([one.received.receipt for one in deliveries])
        super().submit(deliveries)


class NeverBeats(Heartbeat):
    """Lets visibility timeouts pass while handlers run."""

    def beat(self) -> float:
        """Do nothing."""
        return self._half


class ForgetsOrder(ThreadPool):
    """Handles the messages of a FIFO queue in whatever order threads take them."""

    def start(self) -> None:
        """Wait in one line for all groups."""
        self._waiting = Line()
        super().start()


class TrustsCopies(UniverseDeadLetters):
    """Takes every copy of a rejected message for sent."""

    def send(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Send, and do not look at the answer."""
        super().send(attempts)
        return list(attempts)


class StartsAnything(InFlight):
    """Lets handlers have messages that another consumer may have by now."""

    def start(self, key: int) -> bool:
        """Look only whether the message is here."""
        return key in self._messages


class KeepsAll(InFlight):
    """Gives nothing back to the queue."""

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Do nothing."""


class SaysNothing(Acknowledger):
    """Writes no lines about attempts."""

    def acknowledge(self, attempts: Sequence[Attempt]) -> None:
        """Acknowledge with a sink that drops lines."""
        sink, self._sink = self._sink, _Nowhere()
        super().acknowledge(attempts)
        self._sink = sink


class _Nowhere:
    """A sink that keeps nothing."""

    def write(self, lines: list[bytes]) -> None:
        """Drop the lines."""


class ForgetsToWake(ThreadPool):
    """Does not tell its threads of new messages."""

    def submit(self, deliveries: Sequence[Delivery]) -> None:
        """Add them silently."""
        with self._changed:
            self._waiting.add(deliveries)


class TrustsDeletes(Acknowledger):
    """Takes every message of a delete for deleted, also those that SQS has refused."""

    def __init__(
        self,
        ports: Ports,
        in_flight: InFlight,
        cycles: Cycles,
        endings: Endings,
        instance_id: str,
    ) -> None:
        """Ask a queue that hides refusals."""
        queue = _NoRefusals(ports.queue)
        super().__init__(replace(ports, queue=queue), in_flight, cycles, endings, instance_id)


class _NoRefusals:
    """A queue that keeps the refusals of deletes for itself."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self.receive = queue.receive
        self.change_visibility = queue.change_visibility

    def delete(self, receipts: Sequence[str]) -> tuple[Refusal, ...]:
        """Delete the messages, perhaps."""
        self._queue.delete(receipts)
        return ()

    def afresh(self, answer_seconds: float) -> Queue:
        """Do the same over new connections."""
        return _NoRefusals(self._queue.afresh(answer_seconds))


class HidesAgain(InFlight):
    """Goes on extending a message that is being returned."""

    def __init__(self, ports: Ports, visibility: int, times: HandlingTimes) -> None:
        """Have nobody stop the heartbeat."""
        super().__init__(ports, visibility, times)
        self.visibility = _NeverStops(self._messages, self._changed, ports)


class _NeverStops(Visibility):
    """Visibility that a heartbeat may extend while a message is returned."""

    def stop_hiding(
        self, changes: Sequence[tuple[Delivery, int]], patience: float
    ) -> dict[int, int]:
        """Stop nothing."""
        del patience
        return {delivery.key: seconds for delivery, seconds in changes}


class TooManyThreads(ThreadPool):
    """Handles twice as many messages at once as it may."""

    def start(self) -> None:
        """Start, then start as many threads again."""
        super().start()
        if self._handler is not None:
            for _ in range(self._limits.concurrency):
                self._start_thread(self._handler)


BROKEN: Final = {
    "deletes before handling": Blueprint(pool=DeletesFirst),
    "never extends a visibility timeout": Blueprint(heartbeat=NeverBeats),
    "forgets the order of groups": Blueprint(pool=ForgetsOrder),
    "takes every copy for sent": Blueprint(letters=TrustsCopies),
    "handles what it has lost": Blueprint(in_flight=StartsAnything),
    "does not wake its threads": Blueprint(pool=ForgetsToWake),
    "takes every delete for done": Blueprint(acknowledger=TrustsDeletes),
    "hides again what it returns": Blueprint(in_flight=HidesAgain),
    "gives nothing back": Blueprint(in_flight=KeepsAll),
    "writes no lines": Blueprint(acknowledger=SaysNothing),
    "handles too many at once": Blueprint(pool=TooManyThreads),
}
