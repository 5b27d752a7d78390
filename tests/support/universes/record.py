"""The record of a universe: what truly happened to every message, whatever the consumers say."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consumer.attempt import AttemptResult


class Violation(AssertionError):  # noqa: N818 - it is no error of the program that found it
    """An invariant that does not hold: the rule, and what contradicts it."""

    def __init__(self, rule: str, what: str) -> None:
        """Keep both."""
        super().__init__(f"{rule}: {what}")
        self.rule = rule
        self.what = what


class MessageRecord:
    """One message that SQS has acknowledged to its sender.

    `excuses` are faults that concern it, after which it may be handled twice. `named` are the
    events of the consumers' warnings that name it.
    """

    def __init__(self, number: int, group: str | None) -> None:
        """Start as a message that waits."""
        self.number = number
        self.id = f"m{number}"
        self.group = group
        self.poison = False
        self.visible_at = -inf
        self.receive_count = 0
        self.receipt = ""
        self.deleted = False
        self.dead = False
        self.copies = 0
        self.processed = 0
        self.rejected = False
        self.handlers = 0
        self.excuses: set[str] = set()
        self.named: set[str] = set()

    @property
    def gone(self) -> bool:
        """Return whether it is in the queue no more."""
        return self.deleted or self.dead

    @property
    def through(self) -> bool:
        """Return whether the next one of its group may be handled."""
        return self.gone or self.processed > 0 or self.rejected


class DeliveryRecord:
    """One delivery of a message to a consumer.

    `result` is what its handler has decided, `copied` whether its consumer knows that a copy is
    among the dead letters. `deleted` is True once SQS has confirmed to the consumer that it is,
    `returned` once SQS has confirmed that it is visible again or will be (`back` once it is so),
    and `lost_at` is when SQS has refused a change of its visibility for good: another consumer may
    have the message.
    """

    def __init__(self, message: MessageRecord, receipt: str, machine: str, now: float) -> None:
        """Start as one that SQS has sent now."""
        self.message = message
        self.receipt = receipt
        self.machine = machine
        self.count = message.receive_count
        self.sent_at = now
        self.handed = False
        self.running = False
        self.began = 0.0
        self.result: AttemptResult | None = None
        self.copied = False
        self.deleted = False
        self.returned = False
        self.back = False
        self.lost_at = inf
        self.lines: list[str] = []
        self.void = False
        self.named: set[str] = set()

    @property
    def key(self) -> tuple[str, int]:
        """Return what a consumer's line names the delivery by."""
        return (self.message.id, self.count)


class Record:
    """Everything that happened, with the last events as text."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.messages: dict[str, MessageRecord] = {}
        self.deliveries: dict[str, DeliveryRecord] = {}
        self.by_key: dict[tuple[str, int], DeliveryRecord] = {}
        self.trace: list[tuple[float, str, str]] | None = None

    def note(self, now: float, who: str, what: str) -> None:
        """Add an event to the trace, if somebody wants one."""
        if self.trace is not None:
            self.trace.append((now, who, what))

    def excuse(self, receipts: list[str], fault: str) -> None:
        """Note a fault that concerns these deliveries."""
        for receipt in receipts:
            self.deliveries[receipt].message.excuses.add(fault)

    def excuse_machine(self, machine: str, fault: str) -> None:
        """Note a fault that concerns whatever this machine has received and not ended."""
        for delivery in self.deliveries.values():
            if delivery.machine == machine and not delivery.deleted:
                delivery.message.excuses.add(fault)

    def of_machine(self, machine: str) -> list[DeliveryRecord]:
        """Return the deliveries whose receive this machine has got an answer to."""
        return [one for one in self.deliveries.values() if one.machine == machine and one.handed]


def ids_of(fields: dict[str, Any]) -> list[str]:
    """Return the messages that a line names."""
    one = fields.get("message_id")
    return [*fields.get("message_ids", ()), *([one] if one else [])]
