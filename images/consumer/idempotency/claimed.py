"""What may be done with messages after their keys were claimed. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumer.attempt import Attempt, AttemptResult
from consumer.idempotency.ports import TableError, Taken
from consumer.waiting import THROUGH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.delivery import Delivery


@dataclass(frozen=True, slots=True)
class Claimed:
    """What may be done with received messages.

    Attributes:
        mine: messages that handlers may get now, in order.
        attempts: messages that no handler gets: their end is that of an attempt.
        followers: messages behind one of those in a FIFO queue's group, to be returned.
    """

    mine: list[Delivery] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    followers: list[Delivery] = field(default_factory=list)


def refused(
    delivery: Delivery, answer: Taken | TableError, now: float, outage_delay: int
) -> Attempt:
    """Return the end of a message whose key could not be claimed."""
    after: int | None
    if isinstance(answer, TableError):
        result, after = AttemptResult.RETRY, outage_delay
        reason = f"not handled, as it could not be claimed: {answer}"
    elif answer.done:
        result, after, reason = AttemptResult.DUPLICATE, None, "processed before"
    else:
        result, reason = AttemptResult.RETRY, "in progress elsewhere"
        after = math.floor(max(0.0, answer.until - now)) + 1
    return Attempt(delivery, result, reason, 0.0, now, after, handled=False)


def sort_out(
    deliveries: Sequence[Delivery], attempts: Mapping[int, Attempt], *, fifo: bool
) -> Claimed:
    """Sort messages, given the attempts of those that no handler gets, by their keys.

    In a FIFO queue, what follows one of those in its group has to wait until it is through.
    """
    result, blocked = Claimed(), set[str]()
    for delivery in deliveries:
        group = delivery.received.group_id if fifo else None
        attempt = attempts.get(delivery.key)
        if group in blocked:
            result.followers.append(delivery)
        elif attempt is None:
            result.mine.append(delivery)
        else:
            result.attempts.append(attempt)
            if group is not None and attempt.result not in THROUGH:
                blocked.add(group)
    return result
