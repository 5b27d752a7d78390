"""Attributes of a simulated queue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueueAttributes:
    """Attributes of a queue, by SQS's names.

    Attributes:
        max_receive_count: receives after which a message is moved to the dead-letter queue; None
            if there is no such queue.
        visibility_timeout: seconds for which a received message stays in flight.
        retention: seconds for which a message is kept (MessageRetentionPeriod).
    """

    max_receive_count: int | None
    visibility_timeout: int
    retention: float
