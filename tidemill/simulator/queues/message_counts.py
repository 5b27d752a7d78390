"""Counts of a simulated queue's messages: by their end, and by how long they waited."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.simulator.queues.queued_message import Cause, QueuedMessage

RESOLUTION = 0.1
"""Waits are counted in steps of 0.1 s, because a list of all waits would need too much memory."""


@dataclass(slots=True)
class MessageCounts:
    """Counts of a queue's messages by their end; the numbers only grow.

    Attributes:
        sent: messages sent.
        processed: messages processed and deleted.
        dead: messages moved to the dead-letter queue.
        dead_by: the same, by why their last receive did not end with a delete.
        good_dead: those of them that were valid and had fewer attempts than receives.
        expired: messages deleted at the end of their retention.
        requests: receives and deletes by consumers.
        failures: attempts that did not process their message, by the reason.
        retries: attempts at messages that had one before.
        returned: receives that ended with a return by a consumer whose handlers never had the
            message.
        first_waits: the number of messages for each wait until their first receive, in tenths of a
            second: {42: 3} is three messages that waited 4.2 s.
        waits: the same for the waits until they were processed.
    """

    sent: int = 0
    processed: int = 0
    dead: int = 0
    dead_by: Counter[Cause] = field(default_factory=Counter)
    good_dead: int = 0
    expired: int = 0
    requests: int = 0
    failures: Counter[Cause] = field(default_factory=Counter)
    retries: int = 0
    returned: int = 0
    first_waits: Counter[int] = field(default_factory=Counter)
    waits: Counter[int] = field(default_factory=Counter)

    @property
    def attempts(self) -> int:
        """Return how many attempts there were."""
        return self.processed + sum(self.failures.values())

    def count_dead(self, message: QueuedMessage) -> None:
        """Count a message that becomes a dead letter."""
        self.dead += 1
        self.dead_by[message.cause] += 1
        self.good_dead += message.spared
