"""Reconciliation of messages: the final place of each message that was sent, by its id."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

    from tidemill.rig.consumer_logs import ConsumerLogs

REASONS: Final = 10
"""Reasons of dead letters that are listed, the most frequent ones."""

LONGEST: Final = 300
"""Characters of a reason that are listed."""

UNTRIED: Final = "received too often, and no attempt ended"


class SentMessage(msgspec.Struct, frozen=True):
    """A line of the producer's log of sent messages; `sent_at` in epoch seconds of its clock."""

    message_id: str
    poison: bool
    sent_at: float


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Numbers of messages, each counted once by its id.

    `lost` messages were sent, and are neither processed nor in a queue. `duplicates` is how often
    messages were processed again: one that was processed three times counts as two. `known_copies`
    were not processed again, as an idempotency table knew them. A message counts in each way in
    which one of its attempts ended; `returned` is how often messages went back that no handler had
    got. `dead_letter_reasons` has how the last attempt of dead letters ended, and how many of them.
    """

    sent: int
    poison: int
    processed: int
    invalid: int
    failed: int
    retried: int
    rejected: int
    timed_out: int
    crashed: int
    known_copies: int
    returned: int
    dead_lettered: int
    left_in_queue: int
    lost: int
    duplicates: int
    dead_letter_reasons: dict[str, int]


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
    copies = logs.outcomes["duplicate"].keys()
    found = logs.processed.keys() | copies | in_queue | in_dead_letters

    def ended(outcome: str) -> int:
        return len(ids & logs.outcomes[outcome].keys())

    reasons = Counter(
        logs.last_words.get(name, UNTRIED)[:LONGEST] for name in ids & in_dead_letters
    )
    return Reconciliation(
        sent=len(ids),
        poison=sum(message.poison for message in sent),
        processed=len(ids & logs.processed.keys()),
        invalid=ended("invalid"),
        failed=ended("failed"),
        retried=ended("retry"),
        rejected=ended("rejected"),
        timed_out=ended("timed_out"),
        crashed=ended("crashed"),
        known_copies=ended("duplicate"),
        returned=logs.returned,
        dead_lettered=len(ids & in_dead_letters),
        left_in_queue=len(ids & in_queue),
        lost=len(ids - found),
        duplicates=sum(
            logs.processed[message_id] - 1 for message_id in ids & logs.processed.keys()
        ),
        dead_letter_reasons=dict(reasons.most_common(REASONS)),
    )
