"""Figures of an account, as summary.json and the tables have them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tidemill.ledger.account import Fate, Origin
from tidemill.ledger.causes import UNEXPLAINED
from tidemill.ledger.problems import problems_of

if TYPE_CHECKING:
    from tidemill.ledger.account import Account
    from tidemill.ledger.lines import WorkerRecord
    from tidemill.ledger.sent import SentHistory

REASONS: Final = 10
"""Reasons of dead letters that are listed, the most frequent ones."""

LONGEST: Final = 300
"""Characters of a reason that are listed."""

UNTRIED: Final = "received too often, and no attempt ended"

OURS: Final = frozenset({Origin.ACKNOWLEDGED, Origin.RECOVERED})
"""Origins of messages that the producer has sent."""

OUTCOMES: Final = {
    "processed": "processed",
    "invalid": "invalid",
    "failed": "failed",
    "retried": "retry",
    "rejected": "rejected",
    "timed_out": "timed_out",
    "crashed": "crashed",
    "known_copies": "duplicate",
}
"""Figures that count messages by how an attempt at them ended: a message once in each way."""


def figures(account: Account, sent: SentHistory, record: WorkerRecord) -> dict[str, Any]:
    """Return numbers of messages, each counted once by its id, and what else summary.json has.

    `sent` are those that SQS acknowledged. `fates` has every message that was sent exactly once,
    whether it is acknowledged or recovered.
    """
    ours = {name: entry for name, entry in account.messages.items() if entry.origin in OURS}
    ended: Counter[str] = Counter(
        outcome
        for outcome, message_id in {
            (outcome, message_id)
            for run in record.runs
            for message_id, handling in run.messages.items()
            for outcome in handling.outcomes
        }
        if message_id in ours
    )
    fates = Counter(entry.fate for entry in ours.values())
    dead = {name for name, entry in ours.items() if entry.fate is Fate.DEAD_LETTERED}
    poison = {message.message_id for message in sent.accepted.values() if message.poison}
    reasons = Counter((ours[name].why or UNTRIED)[:LONGEST] for name in dead)
    return {
        "sent": len(sent.accepted),
        "poison": len(poison),
        "indeterminate": account.indeterminate,
        "recovered": account.of_origin(Origin.RECOVERED),
        "unidentified": account.of_origin(Origin.UNIDENTIFIED),
        "unexpected": account.of_origin(Origin.UNEXPECTED),
        **{name: ended[outcome] for name, outcome in OUTCOMES.items()},
        "returned": record.returned,
        "deleted": fates[Fate.DONE],
        "unconfirmed": fates[Fate.UNCONFIRMED],
        "dead_lettered": len(dead),
        "poison_dead_lettered": len(dead & poison),
        "left_in_queue": fates[Fate.STUCK],
        "unknown": fates[Fate.UNKNOWN],
        "lost": fates[Fate.LOST],
        "fates": {fate.value: fates[fate] for fate in Fate},
        "duplicates": account.duplicates.total(),
        "unexplained_duplicates": sum(account.duplicates[cause] for cause in UNEXPLAINED),
        "duplicate_causes": {str(cause): number for cause, number in account.duplicates.items()},
        "silent_receives": account.silent_receives.total(),
        "silent_receive_causes": {
            str(cause): number for cause, number in account.silent_receives.items()
        },
        "cut_off": account.cut_off,
        "given_up": account.given_up,
        "dead_letter_reasons": dict(reasons.most_common(REASONS)),
        "problems": [str(problem) for problem in problems_of(account)],
    }
