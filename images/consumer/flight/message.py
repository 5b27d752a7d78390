"""One message in flight, as all threads share it, and what is left of several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.delivery import Delivery


class InFlightMessage:
    """One message in flight; times are those of the monotonic clock.

    SQS hides the message from other consumers until `hidden_until`. It is `kept` while a heartbeat
    may extend that. It is `lapsed` once that time was over, and `lost` when SQS has refused to
    extend it: then another consumer may have received it. It is `finished` when no handler will get
    it any more. Then it is to be deleted (`delete`), or to be visible again at `visible_at`.
    """

    __slots__ = (
        "delete",
        "delivery",
        "extending",
        "finished",
        "hidden_until",
        "kept",
        "lapsed",
        "lost",
        "received_at",
        "started",
        "untouched",
        "visible_at",
    )

    def __init__(self, delivery: Delivery, now: float, hidden_until: float) -> None:
        """Start with a message that was received now and waits for its handler."""
        self.delivery = delivery
        self.received_at = now
        self.hidden_until = hidden_until
        self.started = self.finished = self.lost = False
        self.delete = self.untouched = self.extending = self.lapsed = False
        self.visible_at: float | None = None
        self.kept = True


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What SQS was asked for without an answer yet; returns with their delays in seconds."""

    deletes: list[Delivery]
    failed: list[tuple[Delivery, int]]
    untouched: list[tuple[Delivery, int]]


@dataclass(frozen=True, slots=True)
class Left:
    """Messages in flight: all of them, and those among them that were handled."""

    deliveries: list[Delivery]
    handled: list[Delivery]
