"""Intake: received messages become deliveries, out of their envelopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.attempt import Attempt
from consumer.delivery import Delivery
from consumer.messages.envelopes import unwrap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.queue import ReceivedMessage


def take_in(
    envelope: str, messages: Iterable[ReceivedMessage], first: int, now: float
) -> tuple[list[Delivery], dict[int, Attempt]]:
    """Return the deliveries, and the attempts of those that hold nothing for a handler, by key.

    Args:
        envelope: the setting ENVELOPE.
        messages: received just now.
        first: key of the first delivery.
        now: epoch seconds.
    """
    deliveries, ended = [], {}
    for key, message in enumerate(messages, first):
        opened = unwrap(envelope, message)
        delivery = Delivery(key, opened.received, now, opened.body, opened.envelope)
        deliveries.append(delivery)
        if opened.result is not None:
            ended[key] = Attempt(delivery, opened.result, opened.reason, 0.0, now, handled=False)
    return deliveries, ended
