"""Result of a simulation: its messages, its instances and its duration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.simulator.instances.billing import InstanceCounts
    from tidemill.simulator.queues.message_counts import MessageCounts


@dataclass(frozen=True, slots=True)
class Result:
    """Result of a run.

    Attributes:
        seconds: the duration of the run.
        messages: the counts of the messages.
        instances: the counts and billed seconds of the instances.
        left: messages that were still in the queue at the end.
        drained_after: seconds from the first message until the queue was empty for good; None
            if messages were left.
        oldest_age: the greatest age of the oldest visible message at the end of a minute, in
            seconds. (SQS's ApproximateAgeOfOldestMessage counts messages in flight as well.)
        turns: turns of the loop that were taken.
        retained: instances that were retained at the end, after an abandoned termination. They are
            billed until a user terminates them, in the simulation until its end.
    """

    seconds: float
    messages: MessageCounts
    instances: InstanceCounts
    left: int
    drained_after: float | None
    oldest_age: float
    turns: int
    retained: int = 0

    @property
    def lost(self) -> int:
        """Return how many messages are unaccounted for; more than 0 is an error in this code."""
        counts = self.messages
        return counts.sent - counts.processed - counts.dead - counts.expired - self.left
