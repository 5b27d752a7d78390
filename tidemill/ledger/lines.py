"""Workers' lines, read into what each run of a worker says about each message."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - msgspec looks it up
from enum import Enum, auto
from typing import Final

import msgspec

from shared.body_digest import body_digest


class Sign(Enum):
    """What a line says about messages, besides those of attempts."""

    DELETED = auto()
    """SQS has confirmed the delete."""
    NOT_DELETED = auto()
    """A delete was refused, or its answer did not arrive: the message may come again."""
    RETURNED = auto()
    """SQS has confirmed that the message is visible again, without an attempt."""
    GIVEN_UP = auto()
    """The receive ended without an attempt, and the message comes again later."""
    LEASE_LOST = auto()
    """The visibility timeout was over, or may have been, while a handler had the message."""
    CUT_OFF = auto()
    """A handler that had begun was ended because the worker had to stop."""


SIGNS: Final = {
    "messages deleted": Sign.DELETED,
    "messages not deleted, they will be received again": Sign.NOT_DELETED,
    "messages returned": Sign.RETURNED,
    "messages not returned, they will be received again after their visibility timeout": (
        Sign.GIVEN_UP
    ),
    "messages not handled, because their visibility timeout was over before": Sign.GIVEN_UP,
    "messages left, they will be received again after their visibility timeout": Sign.GIVEN_UP,
    "message may be received again while its handler runs": Sign.LEASE_LOST,
    "messages handled beyond their visibility timeout, they may be handled twice": Sign.LEASE_LOST,
    "handler still running at the limit": Sign.CUT_OFF,
}
"""Events of the consumer that name messages."""

STARTED: Final = "started"
LAST: Final = frozenset({"stopped", "ended at once"})
"""The last line of a worker."""

UNAVAILABLE: Final = "queue unavailable"
"""A receive got no answer: SQS may have hidden messages that nobody has."""

NOT_EXTENDED: Final = "visibility not extended"

GOOD: Final = frozenset({"processed", "duplicate"})
"""Outcomes after which nothing is left to do."""

DELETABLE: Final = GOOD | {"rejected"}
"""Outcomes after which a message may be deleted: a rejected one, when its copy has arrived."""

_BEGINNING: Final = b'{"time":'
"""The start of a consumer's log line; a handler may have printed text before it on the line."""


class _Line(msgspec.Struct):
    """The fields of a consumer's line that are needed here; most lines have only a few."""

    event: str = ""
    time: datetime | None = None
    instance_id: str = ""
    message_id: str = ""
    message_ids: list[str] = []
    handled_ids: list[str] = []
    receiving: bool = False
    outcome: str = ""
    reason: str | None = None
    receive_count: int = 0
    envelope: str | None = None
    body: msgspec.Raw = msgspec.Raw()
    body_text: str | None = None
    returned: int = 0
    LogLinesDropped: int = 0


@dataclass(slots=True)
class Handling:
    """What one run of a worker says about one message.

    Attributes:
        outcomes: how its attempts ended, in order.
        reason: why the last one that did not succeed failed.
        receive_count: the highest that a line has.
        signs: how often other lines name the message, by what they say.
        deleted_early: deletes that SQS confirmed before an attempt had ended in a way that allows
            one.
    """

    outcomes: list[str] = field(default_factory=list)
    reason: str = ""
    receive_count: int = 0
    signs: Counter[Sign] = field(default_factory=Counter)
    deleted_early: int = 0

    def count(self, outcome: str) -> int:
        """Return how many attempts ended in this way."""
        return self.outcomes.count(outcome)


@dataclass(slots=True, eq=False)
class Run:
    """One life of a worker, from the line "started" to the line "stopped".

    Attributes:
        instance: the id of the instance.
        stopped: whether it has ended with its last line.
        unanswered_receives: how often a receive got no answer.
        unextended: how often visibility timeouts could not be extended.
        messages: what it says about each message, by id.
    """

    instance: str
    stopped: bool = False
    unanswered_receives: int = 0
    unextended: int = 0
    messages: dict[str, Handling] = field(default_factory=dict)

    def handling(self, message_id: str) -> Handling:
        """Return what is known of a message, for adding to it."""
        return self.messages.setdefault(message_id, Handling())


class WorkerRecord:
    """All that the workers' lines say; it grows with them.

    Attributes:
        runs: every run of every worker.
        processed: how often each message was processed.
        digests: by id, the digest of the body, for messages whose line has the whole body.
        returned: how often messages went back that no handler had got, by the cycle lines.
        dropped: lines that workers could not deliver, as they say.
        first: when the first message was processed, in epoch seconds of the workers' clocks.
        last: when the last one was.
    """

    def __init__(self) -> None:
        """Begin with no lines."""
        self.runs: list[Run] = []
        self.processed: Counter[str] = Counter()
        self.digests: dict[str, str] = {}
        self.returned = 0
        self.dropped = 0
        self.first: float | None = None
        self.last: float | None = None
        self._open: dict[str, Run] = {}
        self._decoder = msgspec.json.Decoder(_Line)

    def add(self, source: str, line: bytes) -> None:
        """Add a line of this source, such as a file; the lines of each source come in order."""
        try:
            entry = self._decoder.decode(line[max(0, line.find(_BEGINNING)) :])
        except msgspec.MsgspecError:
            return  # printed by the user's handler
        if entry.time is None:
            return
        run = self._run_of(source, entry)
        match entry.event:
            case "message":
                self._add_attempt(run, entry, entry.time)
            case "cycle":
                self.returned += entry.returned
                self.dropped += entry.LogLinesDropped
            case event if event in LAST:
                run.stopped = True
            case event if event == UNAVAILABLE:
                run.unanswered_receives += 1
            case event if event == NOT_EXTENDED:
                run.unextended += 1
            case event if sign := SIGNS.get(event):
                self._add_signs(run, entry, sign)

    def about(self, message_id: str) -> list[tuple[Run, Handling]]:
        """Return what each run says about a message."""
        return [(run, run.messages[message_id]) for run in self.runs if message_id in run.messages]

    def named(self) -> set[str]:
        """Return the ids of all messages that a line names."""
        return {message_id for run in self.runs for message_id in run.messages}

    def _run_of(self, source: str, entry: _Line) -> Run:
        """Return the run that a line is of; the oldest lines of a source may be missing."""
        run = self._open.get(source)
        if run is None or entry.event == STARTED:
            run = Run(entry.instance_id or source)
            self._open[source] = run
            self.runs.append(run)
        return run

    def _add_attempt(self, run: Run, entry: _Line, at: datetime) -> None:
        handling = run.handling(entry.message_id)
        handling.outcomes.append(entry.outcome)
        handling.receive_count = max(handling.receive_count, entry.receive_count)
        if entry.outcome not in GOOD:
            handling.reason = f"{entry.outcome}: {entry.reason or 'no reason'}"
        if entry.message_id not in self.digests and entry.envelope is None:
            body = entry.body_text if entry.body_text is not None else bytes(entry.body)
            if body:
                self.digests[entry.message_id] = body_digest(body)
        if entry.outcome == "processed":
            self.processed[entry.message_id] += 1
            seconds = at.timestamp()
            self.first = seconds if self.first is None else min(self.first, seconds)
            self.last = seconds if self.last is None else max(self.last, seconds)

    @staticmethod
    def _add_signs(run: Run, entry: _Line, sign: Sign) -> None:
        run.unanswered_receives += entry.receiving
        too_old = sign is Sign.NOT_DELETED and _is_of_receipt(entry.reason or "")
        for message_id in [entry.message_id] if entry.message_id else entry.message_ids:
            handling = run.handling(message_id)
            _add_sign(handling, Sign.NOT_DELETED if message_id in entry.handled_ids else sign)
            if too_old and not handling.signs[Sign.LEASE_LOST]:
                _add_sign(handling, Sign.LEASE_LOST)


def _is_of_receipt(reason: str) -> bool:
    """Return whether SQS has refused a delete because its receipt is too old.

    SQS says "ReceiptHandleIsInvalid", or "The receipt handle has expired" (API, DeleteMessage).
    """
    return "receipthandle" in reason.replace(" ", "").lower()


def _add_sign(handling: Handling, sign: Sign) -> None:
    handling.signs[sign] += 1
    if sign is Sign.DELETED and DELETABLE.isdisjoint(handling.outcomes):
        handling.deleted_early += 1
