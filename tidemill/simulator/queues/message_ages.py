"""Ages of received messages: which of them SQS counts in ApproximateAgeOfOldestMessage."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush

NEVER = float("inf")


class MessageAges:
    """When the messages were sent that were received, not deleted, and still count.

    A run has this only if an alarm reads the metric, because it costs time for each message.
    Messages that were never received are not in it: the queue has them in their order.
    """

    def __init__(self) -> None:
        """Begin without a message."""
        self._sent: list[float] = []
        self._removed: Counter[float] = Counter()

    def add(self, sent: float) -> None:
        """Add a message at its first receive."""
        heappush(self._sent, sent)

    def remove(self, sent: float) -> None:
        """Remove a message that was deleted, or that was received too often to count."""
        self._removed[sent] += 1

    def oldest(self, kept_since: float) -> float:
        """Return when the oldest message was sent, infinity without one.

        Messages that were sent before `kept_since` are dropped: their retention is over.
        """
        sent, removed = self._sent, self._removed
        while sent and (sent[0] < kept_since or removed[sent[0]] > 0):
            removed[heappop(sent)] -= 1
        return sent[0] if sent else NEVER
