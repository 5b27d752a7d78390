"""The queue and the dead letters as one consumer sees them, over the wire of its universe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.universes.wire import LATE, PATIENCE

from shared.errors import QueueError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.universes.record import DeliveryRecord
    from support.universes.scheduler import Machine
    from support.universes.sqs import UniverseSqs
    from support.universes.wire import Wire

    from consumer.attempt import Attempt
    from shared.queue import ReceivedMessage, Refusal


class UniverseQueue:
    """The queue as one consumer sees it, which notes what its answers have told the consumer."""

    def __init__(
        self, wire: Wire, sqs: UniverseSqs, machine: Machine, patience: float = PATIENCE
    ) -> None:
        """Ask SQS by this wire, and wait so many seconds for an answer."""
        self._wire = wire
        self._sqs = sqs
        self._machine = machine
        self._patience = patience

    def afresh(self, answer_seconds: float) -> UniverseQueue:
        """Return the same queue, whose answers have so much time."""
        return UniverseQueue(self._wire, self._sqs, self._machine, answer_seconds)

    def receive(
        self, limit: int, wait_seconds: int, visibility_seconds: int
    ) -> list[ReceivedMessage]:
        """Receive as SqsQueue does."""
        found: list[ReceivedMessage] = []
        name, asked_at = self._machine.name, self._wire.scheduler.now

        def act() -> list[ReceivedMessage]:
            found.extend(self._sqs.receive(name, limit, wait_seconds, visibility_seconds))
            return found

        answer = self._wire.ask(
            self._machine,
            "receive",
            act,
            lambda: [one.receipt for one in found],
            wait_seconds + self._patience,
        )
        now = self._wire.scheduler.now
        known = max(0.0, now - asked_at - wait_seconds)
        for message in answer:
            delivery = self._delivery(message.receipt)
            delivery.handed = True
            # An answer may be late by as much as a long poll may wait, and nobody can tell.
            if self._machine.waiting or now - delivery.sent_at > known + LATE:
                delivery.message.excuses.add("late answer")
        return answer

    def delete(self, receipts: Sequence[str]) -> tuple[Refusal, ...]:
        """Delete as SqsQueue does."""
        asked = list(receipts)
        refusals = self._wire.ask(
            self._machine,
            "delete",
            lambda: self._sqs.delete(asked),
            lambda: asked,
            self._patience,
        )
        for index, receipt in enumerate(asked):
            self._delivery(receipt).deleted |= index not in _places(refusals)
        return refusals

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
        """Change visibility timeouts as SqsQueue does."""
        asked = list(changes)
        task = self._wire.scheduler.current
        by_heartbeat = task is not None and task.name == "heartbeat"
        refusals = self._wire.ask(
            self._machine,
            "change",
            lambda: self._sqs.change_visibility(asked, by_heartbeat=by_heartbeat),
            lambda: [receipt for receipt, _ in asked],
            self._patience,
        )
        places = _places(refusals)
        for index, (receipt, _) in enumerate(asked):
            delivery = self._delivery(receipt)
            if index not in places:
                delivery.returned |= not by_heartbeat
            elif not places[index].retry:
                delivery.lost_at = min(delivery.lost_at, self._wire.scheduler.now)
        return refusals

    def _delivery(self, receipt: str) -> DeliveryRecord:
        return self._wire.record.deliveries[receipt]


class UniverseDeadLetters:
    """The dead letters to which rejected messages are copied, as one consumer sees them."""

    def __init__(self, wire: Wire, machine: Machine) -> None:
        """Send copies by this wire."""
        self._wire = wire
        self._machine = machine

    def send(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Send copies; return the attempts of those that have arrived for sure."""
        sent = list(attempts)
        deliveries = [self._wire.record.deliveries[one.delivery.received.receipt] for one in sent]
        refused: set[int] = set()

        def act() -> set[int]:
            for index, delivery in enumerate(deliveries):
                if self._wire.faults.happens("copy refused") or self._wire.faults.happens(
                    "copy refused for now"
                ):
                    refused.add(index)
                    delivery.message.excuses.add("copy refused")
                else:
                    delivery.message.copies += 1
            return refused

        try:
            missing = self._wire.ask(
                self._machine,
                "copy",
                act,
                lambda: [one.receipt for one in deliveries],
                PATIENCE,
            )
        except QueueError:
            return []
        for index, delivery in enumerate(deliveries):
            delivery.copied |= index not in missing
        return [one for index, one in enumerate(sent) if index not in missing]


def _places(refusals: Sequence[Refusal]) -> dict[int, Refusal]:
    return {refusal.index: refusal for refusal in refusals}
