"""What became of every message that was sent: from ids, with nothing assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    from tidemill.rig.consumer_logs import ConsumerLogs


class SentMessage(msgspec.Struct, frozen=True):
    """A line of the producer's sent log: `sent_at` in epoch seconds of the producer's clock."""

    message_id: str
    poison: bool
    sent_at: float


@dataclass(frozen=True, slots=True)
class Account:
    """Every count is of messages, by id; `duplicates` of extra times that one was processed.

    `lost` were sent, and are neither processed nor in a queue.
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
    """Return what the producer recorded as accepted by SQS."""
    decoder = msgspec.json.Decoder(SentMessage)
    return [decoder.decode(line) for line in path.read_bytes().splitlines()]


def settle_account(
    sent: list[SentMessage], logs: ConsumerLogs, in_queue: set[str], in_dead_letters: set[str]
) -> Account:
    """Return the account of the messages sent.

    Args:
        sent: what the producer recorded.
        logs: what the consumers logged, read to the end.
        in_queue: ids still in the work queue.
        in_dead_letters: ids in the dead-letter queue.
    """
    ids = {message.message_id for message in sent}
    accounted = logs.processed.keys() | in_queue | in_dead_letters
    return Account(
        sent=len(ids),
        poison=sum(message.poison for message in sent),
        processed=len(ids & logs.processed.keys()),
        invalid=len(ids & logs.invalid.keys()),
        failed=len(ids & logs.failed.keys()),
        dead_lettered=len(ids & in_dead_letters),
        left_in_queue=len(ids & in_queue),
        lost=len(ids - accounted),
        duplicates=sum(
            logs.processed[message_id] - 1 for message_id in ids & logs.processed.keys()
        ),
    )
