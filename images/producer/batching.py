"""Batching: groups messages within SQS's limits, without delaying any of them for long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.quotas import MAX_BATCH, MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from producer.messages.outgoing_message import OutgoingMessage

LINGER: Final = 0.1
"""Seconds that a message may be sent after it is due, so that batches are fuller."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages of one request, in order; the last is `due` at these seconds since the start."""

    messages: tuple[OutgoingMessage, ...]
    due: float


def batches(items: Iterable[OutgoingMessage | None], dues: Iterator[float]) -> Iterator[Batch]:
    """Yield the messages in batches, in order, none lost.

    A batch ends when it has ten messages, when the next message would make it too large for SQS,
    when the next message is due more than LINGER after the batch's first, and when the input
    pauses (None).

    Args:
        items: messages of at most MAX_BYTES each, and None for a pause.
        dues: when each message is due, never decreasing, in seconds since the start.
    """
    pending: list[OutgoingMessage] = []
    size, first_due, last_due = 0, 0.0, 0.0
    for item in items:
        due = last_due if item is None else next(dues)
        if pending and (
            item is None
            or len(pending) == MAX_BATCH
            or size + item.size > MAX_BYTES
            or due > first_due + LINGER
        ):
            yield Batch(tuple(pending), last_due)
            pending, size = [], 0
        if item is not None:
            first_due, last_due = first_due if pending else due, due
            pending.append(item)
            size += item.size
    if pending:
        yield Batch(tuple(pending), last_due)
