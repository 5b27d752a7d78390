"""Causes: why a message was processed again, and why a receive of it led to nothing.

Of the attempts that processed a message, one may delete it. Each other one needs a reason why it
did not: a line of its worker, or the worker's death. What has none is unexplained, and is what a
fault of the worker looks like.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from tidemill.ledger.lines import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tidemill.ledger.lines import Handling, Run

    About = Sequence[tuple[Run, Handling]]

EVERYWHERE = "*"
"""In place of an instance's id: a fault of a service that all instances use."""


class Cause(StrEnum):
    """Why a message was processed again, or received without an attempt."""

    NOT_DELETED = "its delete was refused or got no answer, as the worker said"
    LEASE_LOST = "its visibility timeout was over while a handler had it, after a fault or outage"
    NOT_EXTENDED = "its visibility timeout could not be extended, as the worker said"
    KILLED = "its worker was killed"
    UNANSWERED = "a receive got no answer, as the worker said"
    SENT_AGAIN = "the producer sent it again after a lost answer"
    INJECTED = "a fault was injected there"
    NOT_KEPT = "its visibility timeout ran out in a handler, and nothing prevented an extension"
    SENT_TWICE = "the producer sent it again although SQS had accepted it"
    AT_LEAST_ONCE = "SQS delivered it again after it had confirmed its delete, as it may"
    DELIVERED_AGAIN = "it was delivered again after its delete was confirmed"
    UNEXPLAINED = "no line explains it"


UNEXPLAINED = frozenset(
    {Cause.NOT_KEPT, Cause.SENT_TWICE, Cause.DELIVERED_AGAIN, Cause.UNEXPLAINED}
)
"""Causes that are faults of the product."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is known of a run besides its records.

    Attributes:
        ended: whether all workers have ended, so that one without its last line was killed.
        faults: by instance, faults that were injected on purpose and may have killed it, stopped it
            for a time or cut it off; `EVERYWHERE` for those of SQS. They explain what happened to
            that instance, where nothing else does.
        delivers_again: whether SQS may deliver a message after it has confirmed its delete, which
            happens rarely on AWS.
    """

    ended: bool = True
    faults: Mapping[str, Sequence[str]] = field(default_factory=dict)
    delivers_again: bool = False

    def killed(self, run: Run) -> bool:
        """Return whether a run ended without saying so."""
        return self.ended and not run.stopped

    def disturbed(self, run: Run) -> bool:
        """Return whether a fault was injected that concerns the run."""
        return run.instance in self.faults or EVERYWHERE in self.faults


def of_duplicates(about: About, conditions: Conditions) -> Counter[Cause]:
    """Return how often one message was processed again, by cause."""
    number = sum(handling.count("processed") for _, handling in about)
    if number < 2:  # noqa: PLR2004 - one is as it should be
        return Counter()
    causes = [cause for run, handling in about for cause in _excuses(run, handling, conditions)]
    found = Counter(sorted(causes, key=list(Cause).index)[: number - 1])
    if left := number - 1 - found.total():
        confirmed = sum(handling.signs[Sign.DELETED] for _, handling in about)
        again = Cause.AT_LEAST_ONCE if conditions.delivers_again else Cause.DELIVERED_AGAIN
        found[again if confirmed > 1 else Cause.UNEXPLAINED] += left
    return found


def _excuses(run: Run, handling: Handling, conditions: Conditions) -> Iterator[Cause]:
    """Yield a cause for each attempt of the run that has one for not having deleted the message."""
    attempts = handling.count("processed")
    prevented = run.unextended or conditions.disturbed(run)
    late, refused = handling.signs[Sign.LEASE_LOST], handling.signs[Sign.NOT_DELETED]
    own = [
        *[Cause.LEASE_LOST if prevented else Cause.NOT_KEPT] * late,
        *[Cause.NOT_DELETED] * (refused - late),  # a receipt that is too old is refused, too
    ][:attempts]
    yield from own
    left = attempts - len(own)
    if not left:
        return
    if conditions.killed(run) and handling.signs[Sign.DELETED] < left:
        yield Cause.KILLED
        left -= 1
    if run.unextended:
        yield from [Cause.NOT_EXTENDED] * left
    elif conditions.disturbed(run):
        yield from [Cause.INJECTED] * left


def of_silent_receives(
    about: About, runs: Sequence[Run], conditions: Conditions
) -> tuple[int, Cause]:
    """Return how many receives of a message led to no line, and the likely cause.

    SQS counts the receives of a message. Each should have ended in an attempt or in a return.
    """
    highest = max((handling.receive_count for _, handling in about), default=0)
    ends = sum(
        len(handling.outcomes) + handling.signs[Sign.RETURNED] + handling.signs[Sign.GIVEN_UP]
        for _, handling in about
    )
    silent = max(0, highest - ends)
    if any(map(conditions.killed, runs)):
        cause = Cause.KILLED
    elif any(run.unanswered_receives for run in runs):
        cause = Cause.UNANSWERED
    elif any(map(conditions.disturbed, runs)):
        cause = Cause.INJECTED
    else:
        cause = Cause.UNEXPLAINED
    return silent, cause
