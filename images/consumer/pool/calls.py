"""One call of a handler in a thread: what it gets, and the attempts that it ends with."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from consumer.attempt import Attempt
from consumer.handlers.arrival import Arrival

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.delivery import Delivery
    from consumer.handlers.verdict import Verdict


class Call:
    """A call of the handler by the current thread; times are those of the monotonic clock."""

    __slots__ = ("deadline", "deliveries", "given_up", "started", "thread")

    def __init__(self, deliveries: Sequence[Delivery], started: float, seconds: float) -> None:
        """Begin a call that may take so many seconds."""
        self.deliveries = deliveries
        self.started = started
        self.deadline = started + seconds
        self.thread = threading.get_ident()
        self.given_up = False

    def ids(self) -> list[str]:
        """Return the ids of its messages."""
        return [delivery.received.message_id for delivery in self.deliveries]

    def arrivals(self, deadline: float) -> list[Arrival]:
        """Return what the handler gets; the deadline is in epoch seconds."""
        return [
            Arrival(
                message_id=delivery.received.message_id,
                body=delivery.body,
                receive_count=delivery.received.receive_count,
                sent_at=delivery.received.sent_at,
                received_at=delivery.received_at,
                deadline=deadline,
                attributes=delivery.received.attributes,
                system=delivery.received.system,
            )
            for delivery in self.deliveries
        ]

    def attempts(
        self, verdicts: Sequence[Verdict], duration: float, finished_at: float
    ) -> Iterator[Attempt]:
        """Return the attempts that the verdicts stand for, in order."""
        for delivery, verdict in zip(self.deliveries, verdicts, strict=True):
            yield Attempt(
                delivery=delivery,
                result=verdict.result,
                reason=verdict.reason,
                duration=duration,
                finished_at=finished_at,
                retry_after=verdict.retry_after,
            )
