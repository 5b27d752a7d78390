"""Account: each message by where it came from and what became of it, and what cannot be right.

Every message id that any record names has one origin and one fate, so that both add up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tidemill.ledger.causes import Cause, of_duplicates, of_silent_receives
from tidemill.ledger.lines import GOOD, Sign

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tidemill.ledger.causes import Conditions
    from tidemill.ledger.lines import Handling, Run, WorkerRecord
    from tidemill.ledger.queues import Queues
    from tidemill.ledger.sent import SentHistory

    About = Sequence[tuple[Run, Handling]]


class Origin(StrEnum):
    """Where a message came from."""

    ACKNOWLEDGED = "acknowledged"
    """SQS accepted it."""
    RECOVERED = "recovered"
    """The answer to its request was lost, and it was found by its body."""
    UNIDENTIFIED = "unidentified"
    """Its id and its body are not known, and answers were lost: it may be one of those."""
    UNEXPECTED = "unexpected"
    """Nobody sent it."""


class Fate(StrEnum):
    """What became of a message."""

    DONE = "done"
    """Processed, and SQS confirmed its delete."""
    UNCONFIRMED = "unconfirmed"
    """Processed, and in no queue, but no answer confirmed its delete."""
    DEAD_LETTERED = "dead-lettered"
    """In the dead-letter queue."""
    STUCK = "stuck"
    """Still in the work queue."""
    UNKNOWN = "unknown"
    """Not processed and not found, but the records are incomplete."""
    LOST = "lost"
    """Not processed, and in no queue."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A message: its origin, its fate, and the reason for it."""

    origin: Origin
    fate: Fate
    why: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """What became of all messages.

    Attributes:
        messages: every message by its id.
        indeterminate: how many requests with a message got no answer.
        duplicates: how often messages were processed again, by cause.
        silent_receives: how often a receive of a message led to no line, by the likely cause.
        sent_twice: names of messages that were sent again although SQS had accepted them.
        deleted_early: ids of messages that were deleted before an attempt had ended.
        cut_off: how often a handler that had begun was ended because its worker had to stop.
        given_up: how often a worker left a message to its visibility timeout, as it said.
        killed: instances whose worker ended without its last line, faults apart.
        silent_ends: ids of processed messages of which a worker does not say what became of the
            delete.
        hidden: messages in a queue at which nobody could look.
        dropped: lines that workers could not deliver.
    """

    messages: Mapping[str, Entry]
    indeterminate: int
    duplicates: Counter[Cause]
    silent_receives: Counter[Cause]
    sent_twice: tuple[str, ...]
    deleted_early: tuple[str, ...]
    cut_off: int
    given_up: int
    killed: tuple[str, ...]
    silent_ends: tuple[str, ...]
    hidden: int
    dropped: int

    def count(self, fate: Fate) -> int:
        """Return how many messages have this fate, whoever sent them."""
        return sum(entry.fate is fate for entry in self.messages.values())

    def of_origin(self, origin: Origin) -> int:
        """Return how many messages came from there."""
        return sum(entry.origin is origin for entry in self.messages.values())


def draw_up(
    sent: SentHistory, record: WorkerRecord, queues: Queues, conditions: Conditions
) -> Account:
    """Return the account of a run whose queue has been drained.

    Args:
        sent: the producer's history.
        record: the workers' lines, read to the end after the look at the queues.
        queues: one look at each queue.
        conditions: what else is known.
    """
    about = _by_message(record.runs)
    digests = {**queues.work.seen, **queues.dead.seen, **record.digests}
    origins = _origins(sent, [*about, *queues.work.seen, *queues.dead.seen], digests)
    duplicates, silent = _copies(sent, origins, about, digests), Counter[Cause]()
    messages: dict[str, Entry] = {}
    silent_ends = []
    for message_id, origin in origins.items():
        told = about.get(message_id, [])
        entry = _entry(message_id, origin, told, queues, record.dropped)
        messages[message_id] = entry
        duplicates += of_duplicates(told, conditions)
        number, cause = of_silent_receives(told, record.runs, conditions)
        silent[cause] += number
        if any(_says_nothing(run, handling, conditions) for run, handling in told):
            silent_ends.append(message_id)
    by_name = sent.ids_by_name()
    return Account(
        messages=messages,
        indeterminate=sent.unanswered.total(),
        duplicates=+duplicates,
        silent_receives=+silent,
        sent_twice=tuple(name for name, ids in by_name.items() if len(ids) > 1),
        deleted_early=tuple(
            message_id
            for message_id, told in about.items()
            if any(handling.deleted_early for _, handling in told)
        ),
        cut_off=_signs(about, Sign.CUT_OFF),
        given_up=_signs(about, Sign.GIVEN_UP),
        killed=tuple(
            run.instance
            for run in record.runs
            if conditions.killed(run) and run.instance not in conditions.faults
        ),
        silent_ends=tuple(silent_ends),
        hidden=queues.work.hidden + queues.dead.hidden,
        dropped=record.dropped,
    )


def _by_message(runs: Iterable[Run]) -> dict[str, list[tuple[Run, Handling]]]:
    about: defaultdict[str, list[tuple[Run, Handling]]] = defaultdict(list)
    for run in runs:
        for message_id, handling in run.messages.items():
            about[message_id].append((run, handling))
    return dict(about)


def _signs(about: Mapping[str, About], sign: Sign) -> int:
    return sum(handling.signs[sign] for told in about.values() for _, handling in told)


def _origins(
    sent: SentHistory, found: Iterable[str], digests: Mapping[str, str]
) -> dict[str, Origin]:
    """Return the origin of every message that any record names.

    A message that nobody is known to have sent is recovered if a request with the same body got no
    answer; there are no more of these than there were such requests.
    """
    origins = dict.fromkeys(sent.accepted, Origin.ACKNOWLEDGED)
    doubts = Counter[str]()
    for name, number in sent.unanswered.items():
        doubts[sent.digests.get(name, "")] += number
    nameless: dict[str, None] = {}
    for message_id in found:
        if message_id in origins:
            continue
        digest = digests.get(message_id)
        if digest is None:
            nameless[message_id] = None
        elif doubts[digest] > 0:
            doubts[digest] -= 1
            origins[message_id] = Origin.RECOVERED
        else:
            origins[message_id] = Origin.UNEXPECTED
    open_doubts = (+doubts).total()
    for place, message_id in enumerate(nameless):
        origins[message_id] = Origin.UNIDENTIFIED if place < open_doubts else Origin.UNEXPECTED
    return origins


def _entry(message_id: str, origin: Origin, about: About, queues: Queues, dropped: int) -> Entry:
    processed = any(handling.count(good) for _, handling in about for good in GOOD)
    deleted = any(handling.signs[Sign.DELETED] for _, handling in about)
    reason = next((handling.reason for _, handling in reversed(about) if handling.reason), "")
    for fate, look in ((Fate.STUCK, queues.work), (Fate.DEAD_LETTERED, queues.dead)):
        if message_id in look.seen:
            return Entry(origin, fate, "processed, and not deleted" if processed else reason)
    if processed:
        return Entry(origin, Fate.DONE if deleted else Fate.UNCONFIRMED)
    if deleted:
        why = f"deleted, and its last attempt was {reason}" if reason else "deleted, not processed"
        return Entry(origin, Fate.LOST, why)
    if dropped or queues.work.hidden or queues.dead.hidden:
        return Entry(origin, Fate.UNKNOWN, reason)
    return Entry(origin, Fate.LOST, reason or "no attempt at it has ended")


def _says_nothing(run: Run, handling: Handling, conditions: Conditions) -> bool:
    """Return whether a worker does not say what became of the delete of what it processed.

    One that was not killed has a confirmation or a warning for each of these attempts.
    """
    words = handling.signs[Sign.DELETED] + handling.signs[Sign.NOT_DELETED]
    attempts = sum(handling.count(good) for good in GOOD)
    return attempts > words and not (conditions.killed(run) or conditions.disturbed(run))


def _copies(
    sent: SentHistory,
    origins: Mapping[str, Origin],
    about: Mapping[str, About],
    digests: Mapping[str, str],
) -> Counter[Cause]:
    """Return how often a message was processed again under another id, as it was sent again."""

    def processed(message_id: str) -> bool:
        return any(handling.count("processed") for _, handling in about.get(message_id, ()))

    twice = 0
    names, copies = Counter(sent.digests.values()), Counter[str]()
    for name, ids in sent.ids_by_name().items():
        number = sum(map(processed, ids))
        twice += max(0, number - 1)
        copies[sent.digests.get(name, "")] += min(1, number)
    recovered = Counter(
        digests[message_id]
        for message_id, origin in origins.items()
        if origin is Origin.RECOVERED and processed(message_id)
    )
    again = sum(
        max(0, number + copies[digest] - names[digest]) for digest, number in recovered.items()
    )
    return Counter({Cause.SENT_TWICE: twice, Cause.SENT_AGAIN: again})
