"""Problems of an account: what cannot be right, and what the records cannot prove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tidemill.ledger.account import Fate, Origin
from tidemill.ledger.causes import UNEXPLAINED, Cause

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tidemill.ledger.account import Account

SHOWN: Final = 3
"""Ids that a sentence names as examples."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem: its name, how often it is there, and a sentence with examples.

    `proven` is False where the records are too incomplete to know.
    """

    name: str
    number: int
    text: str
    proven: bool = True

    def __str__(self) -> str:
        """Return the sentence, such as for a terminal."""
        return self.text if self.proven else f"not proven: {self.text}"


def problems_of(account: Account) -> list[Problem]:
    """Return every problem of an account; a run that kept all promises has none."""
    return [one for one in (*_of_messages(account), *_of_workers(account)) if one.number]


def _of_messages(account: Account) -> Iterator[Problem]:
    fates, origins = _ids(account)
    yield _named("lost", fates[Fate.LOST], "lost: not processed, and in no queue")
    yield _named("unexpected", origins[Origin.UNEXPECTED], "unexpected: nobody has sent them")
    yield _named("stuck", fates[Fate.STUCK], "stuck: still in the work queue")
    yield _named("deleted_early", account.deleted_early, "deleted before an attempt had ended")
    yield _named("sent_twice", account.sent_twice, "sent again although SQS had accepted them")
    for cause in sorted(UNEXPLAINED):
        number = account.duplicates[cause]
        if cause is not Cause.SENT_TWICE:
            yield Problem("duplicates", number, f"{number} processed again: {cause}")
    yield _named("unknown", fates[Fate.UNKNOWN], "not found in incomplete records", proven=False)
    yield _named(
        "unidentified",
        origins[Origin.UNIDENTIFIED],
        "of unknown content, perhaps of a request without an answer",
        proven=False,
    )


def _of_workers(account: Account) -> Iterator[Problem]:
    number = account.silent_receives[Cause.UNEXPLAINED]
    yield Problem(
        "silent_receives", number, f"{number} receives ended in no attempt and in no return"
    )
    yield _named(
        "silent_ends",
        account.silent_ends,
        "processed, while the worker does not say what became of their delete",
    )
    yield _named("killed", account.killed, "ended without their last line: killed", "workers")
    yield Problem(
        "hidden",
        account.hidden,
        f"{account.hidden} messages in the queues are hidden from everybody: look again later",
        proven=False,
    )
    yield Problem(
        "dropped",
        account.dropped,
        f"{account.dropped} lines were not delivered, as the workers say",
        proven=False,
    )


def _ids(account: Account) -> tuple[dict[Fate, list[str]], dict[Origin, list[str]]]:
    fates: dict[Fate, list[str]] = {fate: [] for fate in Fate}
    origins: dict[Origin, list[str]] = {origin: [] for origin in Origin}
    for message_id, entry in account.messages.items():
        fates[entry.fate].append(message_id)
        origins[entry.origin].append(message_id)
    return fates, origins


def _named(
    name: str, ids: Sequence[str], text: str, things: str = "messages", *, proven: bool = True
) -> Problem:
    examples = ", ".join(ids[:SHOWN]) + (", ..." if len(ids) > SHOWN else "")
    return Problem(name, len(ids), f"{len(ids)} {things} {text} ({examples})", proven)
