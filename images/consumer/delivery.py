"""A delivery: one message as this consumer has received it, with its place in the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from consumer.messages.trace import trace_id

if TYPE_CHECKING:
    # Not needed at run time, so a process that only handles messages does not import boto3.
    from shared.queue import ReceivedMessage


class Delivery(msgspec.Struct, frozen=True):
    """A received message that is to be handled.

    Attributes:
        key: counts the deliveries of this consumer, from 1; a message that SQS delivers twice has
            two keys.
        received: the message as SQS sent it.
        received_at: when it was received, in epoch seconds.
        body: what the handler gets: the message's body, or what was in its envelope.
        envelope: what was unwrapped, such as "sns"; None if the body is as it was sent.
    """

    key: int
    received: ReceivedMessage
    received_at: float
    body: str
    envelope: str | None = None

    @property
    def trace_id(self) -> str | None:
        """Return the id of the trace that the message belongs to, for its log lines."""
        return trace_id(self.received.attributes, self.received.system)

    @property
    def age(self) -> float:
        """Return how many seconds the message had been in the queue when it was received."""
        return max(0.0, self.received_at - self.received.sent_at)  # SQS's clock may be ahead
