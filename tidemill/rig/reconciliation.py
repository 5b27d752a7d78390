"""Reconciliation of messages: the final place of each message that was sent, by its id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    from tidemill.rig.consumer_logs import ConsumerLogs


class SentMessage(msgspec.Struct, frozen=True):
    """A line of the producer's log of sent messages; `sent_at` in epoch seconds of its clock."""

    message_id: str
    poison: bool
    sent_at: float


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Numbers of messages, each counted once by its id.

    `lost` messages were sent, and are neither processed nor in a queue. `duplicates` is how often
    messages were processed again: one that was processed three times counts as two.
    """

    sent: int
    poison: int
    processed: int
    invalid: int
    failed: int
    dead_lettered: int
    left_in_queue: int
    lost: int
    duplicates: int


def read_sent_log(path: Path) -> list[SentMessage]:
    """Return the messages that SQS accepted, as the producer logged them."""
    decoder = msgspec.json.Decoder(SentMessage)
    return [decoder.decode(line) for line in path.read_bytes().splitlines()]


def reconcile_messages(
    sent: list[SentMessage], logs: ConsumerLogs, in_queue: set[str], in_dead_letters: set[str]
) -> Reconciliation:
    """Return how many of the sent messages were processed, are in a queue, or are lost.

    Args:
        sent: the messages that SQS accepted.
        logs: the consumers' logs, read to the end.
        in_queue: ids of messages in the work queue.
        in_dead_letters: ids of messages in the dead-letter queue.
    """
    ids = {message.message_id for message in sent}
    found = logs.processed.keys() | in_queue | in_dead_letters
    return Reconciliation(
        sent=len(ids),
        poison=sum(message.poison for message in sent),
        processed=len(ids & logs.processed.keys()),
        invalid=len(ids & logs.invalid.keys()),
        failed=len(ids & logs.failed.keys()),
        dead_lettered=len(ids & in_dead_letters),
        left_in_queue=len(ids & in_queue),
        lost=len(ids - found),
        duplicates=sum(
            logs.processed[message_id] - 1 for message_id in ids & logs.processed.keys()
        ),
    )
