"""Handling of one message in this process: call the handler, keep the result."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from consumer.attempt import Attempt
from consumer.handlers.arrival import Arrival

if TYPE_CHECKING:
    from consumer.delivery import Delivery
    from consumer.handlers.handler import Handler
    from consumer.ports import Clock


def make_attempt(handler: Handler, clock: Clock, delivery: Delivery) -> Attempt:
    """Call the handler with a message; whatever it does becomes a result."""
    started = clock.monotonic()
    received = delivery.received
    arrival = Arrival(
        message_id=received.message_id,
        body=delivery.body,
        receive_count=received.receive_count,
        sent_at=received.sent_at,
        received_at=delivery.received_at,
        deadline=math.inf,
        attributes=received.attributes,
        system=received.system,
    )
    [verdict] = handler.call([arrival], lambda _place, _seconds: None)
    return Attempt(
        delivery=delivery,
        result=verdict.result,
        reason=verdict.reason,
        duration=clock.monotonic() - started,
        finished_at=clock.time(),
        retry_after=verdict.retry_after,
    )
