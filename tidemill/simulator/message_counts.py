"""Counts of a simulated queue's messages: by their end, and by how long they waited."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

RESOLUTION = 0.1
"""Waits are counted in steps of 0.1 s, because a list of all waits would need too much memory."""


@dataclass(slots=True)
class MessageCounts:
    """Counts of a queue's messages by their end; the numbers only grow.

    Attributes:
        sent: messages sent.
        processed: messages processed and deleted.
        dead: messages moved to the dead-letter queue.
        expired: messages deleted at the end of their retention.
        requests: receives and deletes by consumers.
        first_waits: the number of messages for each wait until their first receive, in tenths of a
            second: {42: 3} is three messages that waited 4.2 s.
        waits: the same for the waits until they were processed.
    """

    sent: int = 0
    processed: int = 0
    dead: int = 0
    expired: int = 0
    requests: int = 0
    first_waits: Counter[int] = field(default_factory=Counter)
    waits: Counter[int] = field(default_factory=Counter)
