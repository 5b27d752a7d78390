"""The result of a simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.simulator.instances.billing import InstanceCounts
    from tidemill.simulator.queue import MessageCounts


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to.

    Attributes:
        seconds: how long the run lasted.
        messages: what became of the messages.
        instances: launches and billed seconds.
        left: messages that were still in the queue at the end.
        drained_after: seconds from the first message until the queue was empty for good; None
            where it never was.
        oldest_age: the greatest age of the oldest visible message, in seconds, as published once
            a minute (SQS's ApproximateAgeOfOldestMessage).
        turns: turns of the loop that were taken.
    """

    seconds: float
    messages: MessageCounts
    instances: InstanceCounts
    left: int
    drained_after: float | None
    oldest_age: float
    turns: int

    @property
    def lost(self) -> int:
        """Return how many messages are unaccounted for; anything but 0 is an error in this code."""
        counts = self.messages
        return counts.sent - counts.processed - counts.dead - counts.expired - self.left
