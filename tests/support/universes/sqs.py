"""SQS in a universe: a standard or a FIFO queue as AWS describes it, at its worst.

A standard queue delivers in any order, overlooks messages, delivers some twice and some again after
their delete, and takes old receipts for valid (API reference, DeleteMessage: "the request succeeds,
but the message might not be deleted"). A FIFO queue keeps the order of each message group: while a
message of it is in flight, no later one is delivered, and a delete after the visibility timeout is
refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.universes import rule_names as names
from support.universes.record import DeliveryRecord, MessageRecord, Violation
from support.universes.threads import START

from consumer.attempt import AttemptResult
from shared.queue import ReceivedMessage, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from support.universes.faults import Faults
    from support.universes.record import Record
    from support.universes.scheduler import Scheduler, Task

EXPIRED: Final = ("InvalidParameterValue", "The receipt handle has expired")
NOT_IN_FLIGHT: Final = ("AWS.SimpleQueueService.MessageNotInflight", "not in flight")
DONE: Final = frozenset({AttemptResult.PROCESSED, AttemptResult.DUPLICATE})


class UniverseSqs:
    """One queue with its dead letters; `max_receives` is None without a redrive policy."""

    def __init__(
        self,
        scheduler: Scheduler,
        record: Record,
        faults: Faults,
        rng: Random,
        *,
        fifo: bool,
        max_receives: int | None,
    ) -> None:
        """Start empty."""
        self._scheduler = scheduler
        self._record = record
        self._faults = faults
        self._rng = rng
        self._fifo = fifo
        self._max_receives = max_receives
        self._polls: list[Task] = []
        self._left: list[MessageRecord] = []  # besides some that are gone
        self._count = 0
        self._receipts = 0
        self.on_delivery: Callable[[DeliveryRecord], None] = lambda _delivery: None

    def send(self, message: MessageRecord) -> None:
        """Accept a message."""
        self._record.messages[message.id] = message
        self._left.append(message)
        self._count += 1
        self._wake()

    def empty(self) -> bool:
        """Return whether every message is deleted or among the dead letters."""
        return not self._count

    def receive(
        self, machine: str, limit: int, wait: int, visibility: int
    ) -> list[ReceivedMessage]:
        """Return up to `limit` messages, after up to `wait` seconds; called by a task of SQS."""
        until = self._scheduler.now + wait
        while True:
            if found := self._take(limit, overlook=wait == 0):
                return [self._deliver(message, machine, visibility) for message in found]
            now = self._scheduler.now
            if now >= until:
                return []
            times = [one.visible_at for one in self._left if one.visible_at > now and not one.gone]
            self._polls.append(self._scheduler.current)  # type: ignore[arg-type]  # a task runs it
            self._scheduler.block(min([until, *times]))

    def delete(self, receipts: Sequence[str]) -> tuple[Refusal, ...]:
        """Delete the messages.

        Raises:
            Violation: one was neither processed nor copied to the dead letters.
        """
        refusals = []
        for index, receipt in enumerate(receipts):
            delivery = self._record.deliveries[receipt]
            _check_done(delivery)
            message = delivery.message
            if refusal := self._refused("delete", index):
                refusals.append(refusal)
                message.excuses.add("delete refused")
            elif self._fifo and not self._in_flight(delivery):
                refusals.append(Refusal(index, *EXPIRED, retry=False))
            elif not self._fifo and self._without_effect(delivery):
                message.excuses.add("delete without effect")
            else:
                self._count -= not message.gone
                message.deleted = True
                self._note(f"deletes {message.id}")
                self._wake()
        return tuple(refusals)

    def change_visibility(
        self, changes: Sequence[tuple[str, int]], *, by_heartbeat: bool
    ) -> tuple[Refusal, ...]:
        """Set when the messages become visible again.

        Raises:
            Violation: a heartbeat extends what its consumer has returned.
        """
        refusals = []
        for index, (receipt, seconds) in enumerate(changes):
            delivery = self._record.deliveries[receipt]
            message = delivery.message
            if refusal := self._refused("change", index):
                refusals.append(refusal)
                message.excuses.add("change refused")
            elif message.gone or not self._in_flight(delivery):
                if not message.gone and message.receipt != receipt and self._rng.random() < 0.5:
                    message.excuses.add("old receipt")
                    continue  # SQS does not promise a refusal
                code, reason = EXPIRED if self._fifo else NOT_IN_FLIGHT
                refusals.append(Refusal(index, code, reason, retry=False))
            else:
                if by_heartbeat and delivery.back and not message.excuses:
                    raise Violation(names.STAYS_BACK, f"{message.id} is hidden again")
                delivery.back |= not by_heartbeat
                message.visible_at = self._scheduler.now + seconds
                self._note(f"hides {message.id} for {seconds} s")
                self._wake()
        return tuple(refusals)

    def _take(self, limit: int, *, overlook: bool) -> list[MessageRecord]:
        self._left = [message for message in self._left if not message.gone]
        visible = self._visible_fifo() if self._fifo else self._visible_standard()
        found: list[MessageRecord] = []
        for message in visible:
            if len(found) == limit:
                break
            if overlook and self._faults.happens("message overlooked"):
                continue
            if self._max_receives is not None and message.receive_count >= self._max_receives:
                message.dead = True
                self._count -= 1
                self._note(f"moves {message.id} to the dead letters")
                continue
            found.append(message)
        return found

    def _visible_standard(self) -> list[MessageRecord]:
        now = self._scheduler.now
        visible = [one for one in self._left if one.visible_at <= now]
        if visible:
            if self._faults.happens("message delivered twice"):
                hidden = [one for one in self._left if one.visible_at > now]
                self._deliver_again(hidden, visible, "message delivered twice")
            if self._faults.happens("deleted message delivered again"):
                gone = [one for one in self._record.messages.values() if one.deleted]
                self._deliver_again(gone, visible, "deleted message delivered again")
        self._rng.shuffle(visible)
        return visible

    def _deliver_again(
        self, choice: list[MessageRecord], visible: list[MessageRecord], fault: str
    ) -> None:
        if choice:
            message = self._rng.choice(choice)
            message.excuses.add(fault)
            if message.deleted:
                message.deleted = False
                self._count += not message.dead
                self._left.append(message)
            visible.append(message)

    def _visible_fifo(self) -> list[MessageRecord]:
        now = self._scheduler.now
        blocked = {one.group for one in self._left if one.visible_at > now}
        return [one for one in self._left if one.group not in blocked]

    def _deliver(self, message: MessageRecord, machine: str, visibility: int) -> ReceivedMessage:
        self._receipts += 1
        message.receive_count += 1
        message.visible_at = self._scheduler.now + visibility
        message.receipt = f"r{self._receipts}"
        delivery = DeliveryRecord(message, message.receipt, machine, self._scheduler.now)
        self._record.deliveries[message.receipt] = delivery
        self._record.by_key[delivery.key] = delivery
        self.on_delivery(delivery)
        self._note(f"delivers {message.id} to {machine} ({message.receive_count})")
        return ReceivedMessage(
            message.id,
            message.receipt,
            f'{{"number":{message.number}}}',
            message.receive_count,
            START,
            system={} if message.group is None else {"MessageGroupId": message.group},
        )

    def _in_flight(self, delivery: DeliveryRecord) -> bool:
        message = delivery.message
        return (
            message.receipt == delivery.receipt
            and not message.gone
            and message.visible_at > self._scheduler.now
        )

    def _without_effect(self, delivery: DeliveryRecord) -> bool:
        if delivery.message.receipt != delivery.receipt and self._rng.random() < 0.5:
            return True  # an old receipt
        return self._faults.happens("delete without effect")

    def _refused(self, request: str, index: int) -> Refusal | None:
        if self._faults.happens(f"{request} refused for now"):
            return Refusal(index, "InternalError", "try again", retry=True)
        if self._faults.happens(f"{request} refused"):
            return Refusal(index, "ReceiptHandleIsInvalid", "no", retry=False)
        return None

    def _wake(self) -> None:
        polls, self._polls = self._polls, []
        for task in polls:
            self._scheduler.wake(task)

    def _note(self, what: str) -> None:
        if self._record.trace is not None:
            self._record.note(self._scheduler.now, "SQS", what)


def _check_done(delivery: DeliveryRecord) -> None:
    if (delivery.result in DONE or delivery.copied) and not delivery.void:
        return
    raise Violation(
        names.DONE,
        f"{delivery.machine} deletes {delivery.message.id}, whose handler has "
        f"{'ended as ' + delivery.result if delivery.result else 'not ended'}",
    )
