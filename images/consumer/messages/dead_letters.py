"""Dead letters: copies of the messages that a handler rejects, with the reason, for people.

SQS itself moves a message only after maxReceiveCount receives. A rejected one is sent to the queue
of DEAD_LETTER_QUEUE_URL and then deleted, so it costs no further attempt. SQS does not know where
such a copy came from: docs/runbook.md says how it is redriven.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final, Protocol

from consumer.logs.events import get_logger
from shared.entry_batches import attribute_size, batches, length, size
from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.queue import OutgoingEntry
from shared.queue_names import is_fifo
from shared.quotas import MAX_ATTRIBUTES, MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.attempt import Attempt
    from shared.queue import SendBatchResult

log = get_logger(__name__)

REASON: Final = "tidemill.reason"
MESSAGE_ID: Final = "tidemill.message_id"
"""Attributes of a copy: why the handler rejected the message, and the message's own id."""

_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that SQS refuses in a String attribute (API reference, SendMessage)."""


class Destination(Protocol):
    """The queue of the dead letters."""

    url: str

    def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
        """Send up to ten messages; raises QueueUnavailableError or QueueRefusedError."""
        ...


class DeadLetterQueue:
    """The queue to which copies are sent; a copy that fails leaves its message for a retry."""

    def __init__(self, queue: Destination) -> None:
        """Send to this queue; its name says whether it is FIFO."""
        self._queue = queue
        self._fifo = is_fifo(queue.url)

    def send(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Send copies of the messages; return the attempts of those that have arrived."""
        copies = [copy_of(attempt, fifo=self._fifo) for attempt in attempts]
        arrived: list[Attempt] = []
        for begin, end in batches([size(copy) for copy in copies]):
            arrived += self._send_batch(attempts[begin:end], copies[begin:end])
        return arrived

    def _send_batch(
        self, attempts: Sequence[Attempt], copies: Sequence[OutgoingEntry]
    ) -> list[Attempt]:
        try:
            result = self._queue.send(copies)
        except QueueUnavailableError as error:
            _report(logging.WARNING, attempts, str(error))
            return []
        except QueueRefusedError as error:  # no such queue, or no permission for it
            _report(logging.ERROR, attempts, str(error))
            return []
        for refusal in result.refused:
            level = logging.WARNING if refusal.retry else logging.ERROR
            reason = f"{refusal.code} {refusal.reason}".rstrip()
            _report(level, [attempts[refusal.index]], reason)
        return [attempts[index] for index in sorted(result.sent)]


def copy_of(attempt: Attempt, *, fifo: bool) -> OutgoingEntry:
    """Return the copy of a rejected message: its body as it was sent, its attributes, and why.

    SQS takes ten attributes, and 1 MiB with the body: what does not fit is left out. The message's
    own attributes come first, since a handler may need them after a redrive; those that were inside
    of an envelope come last, since they are in the body.

    In a FIFO queue the message's id is the deduplication id. If a copy has arrived and its message
    could not be deleted, the next copy is not a second one.
    """
    received = attempt.delivery.received
    about: dict[str, str | bytes] = {
        MESSAGE_ID: received.message_id,
        REASON: _FORBIDDEN.sub("?", attempt.reason or "no reason"),
    }
    own = {name: value for name, value in received.attributes.items() if name not in about}
    wanted = about | own if attempt.delivery.envelope else own | about
    left = MAX_BYTES - length(received.body)
    attributes: dict[str, str | bytes] = {}
    for name, value in wanted.items():
        needed = attribute_size(name, value, received.attribute_types.get(name))
        if len(attributes) < MAX_ATTRIBUTES and needed <= left:
            attributes[name] = value
            left -= needed
    return OutgoingEntry(
        body=received.body,
        attributes=attributes,
        attribute_types={
            name: kind for name, kind in received.attribute_types.items() if name in attributes
        },
        group_id=received.group_id or (received.message_id if fifo else None),
        deduplication_id=received.message_id if fifo else None,
        trace_header=received.system.get("AWSTraceHeader"),
    )


def _report(level: int, attempts: Sequence[Attempt], reason: str) -> None:
    ids = [attempt.delivery.received.message_id for attempt in attempts]
    log.log(
        level,
        "rejected messages not copied to the dead letters, they will be received again",
        extra={"fields": {"message_ids": ids, "reason": reason}},
    )
