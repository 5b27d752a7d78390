"""Results of a run: what happened to each message and line (sent, failed, indeterminate, ...)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final

from producer.errors import JournalError, SentLogError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.errors import InputError
    from producer.journal import Journal
    from producer.messages.outgoing_message import Origin, OutgoingMessage, RejectedLine
    from producer.ports import Progress, SentRecord

KEPT: Final = 1_000
"""Reasons kept for the summary. All are counted, and shown when they happen."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A message or line that was not sent, and the reason, for people."""

    what: str
    reason: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.what}: {self.reason}"


@dataclass(slots=True)
class SendTotals:
    """Numbers of messages by result.

    Attributes:
        sent: accepted by SQS; `poison` of them were malformed on purpose.
        failed: not accepted, and not tried again.
        unsent: read, but not sent before the run ended.
        rejected: lines that cannot be sent.
        resumed: acknowledged in an earlier run, by the journal.
        last_line: everything up to this line is sent, or was skipped.
        indeterminate: no answer came: they may be in the queue.
        perhaps_twice: accepted, but an answer to an earlier attempt was lost.
        out_of_order: accepted after later messages of their group.
        failures: what was not sent, and why.
        rejections: which lines cannot be sent, and why.
        input_error: the reason why the rest could not be read.
    """

    sent: int = 0
    poison: int = 0
    failed: int = 0
    unsent: int = 0
    rejected: int = 0
    resumed: int = 0
    last_line: int = 0
    indeterminate: list[tuple[Origin, int]] = field(default_factory=list)
    perhaps_twice: list[tuple[Origin, int]] = field(default_factory=list)
    out_of_order: int = 0
    failures: list[Problem] = field(default_factory=list)
    rejections: list[Problem] = field(default_factory=list)
    input_error: InputError | None = None


class SendResults:
    """Records the results of messages; safe in several threads at once."""

    def __init__(
        self,
        progress: Progress,
        record: SentRecord,
        journal: Journal | None = None,
    ) -> None:
        """Show results on `progress`; `record` is the sent log."""
        self._progress = progress
        self._record = record
        self._journal = journal
        self._open_before = frozenset(journal.open if journal else ())
        self._lock = Lock()
        self._delayed = False
        self._last_read = 0
        self._unfinished: dict[int, None] = {}
        self.totals = SendTotals()

    def acknowledged_before(self, message: OutgoingMessage) -> bool:
        """Return whether an earlier run sent this line; count it then, and whether twice."""
        if self._journal is None or message.number not in self._journal.acknowledged:
            return False
        self._last_read = message.number
        self.totals.resumed += 1
        if message.number in self._journal.twice:
            self.totals.perhaps_twice.append((message.origin, message.number))
        return True

    def perhaps_sent_before(self, message: OutgoingMessage) -> bool:
        """Return whether an earlier run was sending this line when it ended."""
        return message.origin.of_input and message.number in self._open_before

    def record_read(self, message: OutgoingMessage) -> None:
        """Record that a message was read from the input."""
        if message.origin.of_input:
            self._last_read = message.number
            self._unfinished[message.number] = None

    def record_sending(self, messages: Sequence[OutgoingMessage]) -> None:
        """Record that a request with these messages is about to be made.

        Raises:
            RecordError: sent log or journal cannot be written.
        """
        with self._lock:
            if self._journal:
                self._journal.write("sending", [message.number for message in messages])
            self._record.sending(messages)

    def record_not_taken(self, messages: Sequence[OutgoingMessage]) -> None:
        """Record messages of a request that SQS has not taken; they may be sent again."""
        # Without this line they are as good as indeterminate, and the next one fails as well.
        with self._lock, suppress(SentLogError):
            self._record.not_sent(messages)

    def record_accepted(self, accepted: Sequence[tuple[OutgoingMessage, str]]) -> None:
        """Record messages that SQS accepted, with the ids that it assigned.

        Raises:
            RecordError: sent log or journal cannot be written; the messages count as sent, as they
                were.
        """
        with self._lock:
            self._delayed = False
            self.totals.sent += len(accepted)
            self.totals.poison += sum(message.poison for message, _ in accepted)
            for message, _ in accepted:
                if message.origin.of_input:
                    self._unfinished.pop(message.number, None)
            if self._journal:
                self._journal.write("sent", [message.number for message, _ in accepted])
            self._record.accepted(accepted)
        self._progress.advance(len(accepted))

    def record_perhaps_twice(self, messages: Sequence[OutgoingMessage]) -> None:
        """Record accepted messages that an earlier request, without an answer, held as well.

        Before they are recorded as accepted: otherwise a run that is killed in between would leave
        a journal whose later runs do not name them.
        """
        with self._lock:
            self.totals.perhaps_twice += [(item.origin, item.number) for item in messages]
            self._note_end("twice", [message.number for message in messages])

    def record_failed(self, failed: Sequence[tuple[OutgoingMessage, str]]) -> None:
        """Record messages that will not be tried again, each with the reason."""
        problems = [Problem(message.name(), reason) for message, reason in failed]
        with self._lock:
            self.totals.failed += len(problems)
            _keep(self.totals.failures, problems)
            self._not_sent([message for message, _ in failed])
        for problem in problems:
            self._progress.note(f"not sent: {problem}")
        self._progress.advance(len(problems))

    def record_indeterminate(self, messages: Sequence[OutgoingMessage]) -> None:
        """Record messages of requests without an answer, after which the run ended."""
        with self._lock:
            self.totals.indeterminate += [(item.origin, item.number) for item in messages]
            self._note_end("indeterminate", [message.number for message in messages])

    def record_unsent(self, messages: Sequence[OutgoingMessage], *, asked: bool = False) -> None:
        """Record messages that were not sent because the run ended; `asked`: SQS refused them."""
        with self._lock:
            self.totals.unsent += len(messages)
            if asked:
                self._not_sent(messages)

    def record_out_of_order(self, message: OutgoingMessage) -> None:
        """Record that SQS refused a message for now, and accepted later ones of its group."""
        with self._lock:
            self.totals.out_of_order += 1
        self._progress.note(
            f"out of order: {message.name()} comes after later messages of its group "
            f"{message.group_id}, as SQS refused it alone"
        )

    def record_invalid(self, rejected: RejectedLine) -> None:
        """Record a line of the input that cannot be sent, with which the run ends."""
        self._unfinished[rejected.line] = None
        self._reject(rejected)

    def record_skipped(self, rejected: RejectedLine) -> None:
        """Record a line that cannot be sent, and show it, as the run goes on."""
        self._reject(rejected)
        self._progress.note(f"skipped: {rejected.name()}: {rejected.reason}")

    def report_delay(self, reason: str) -> None:
        """Show that the queue accepts nothing, once until it accepts messages again."""
        with self._lock:
            already_shown, self._delayed = self._delayed, True
        if not already_shown:
            self._progress.note(f"trying again: {reason}")

    def record_input_error(self, error: InputError) -> None:
        """Record that the rest of the input cannot be read."""
        self.totals.input_error = error

    def finish(self) -> None:
        """Compute, at the end of the run, up to which line nothing is left to do."""
        self.totals.last_line = min(self._unfinished, default=self._last_read + 1) - 1

    def _reject(self, rejected: RejectedLine) -> None:
        with self._lock:
            self.totals.rejected += 1
            self._last_read = rejected.line
            _keep(self.totals.rejections, [Problem(rejected.name(), rejected.reason)])

    def _not_sent(self, messages: Sequence[OutgoingMessage]) -> None:
        numbers = [item.number for item in messages if item.number not in self._open_before]
        self._note_end("not_sent", numbers)

    def _note_end(self, kind: str, numbers: Sequence[int]) -> None:
        if self._journal:
            # Without this entry the lines are as good as indeterminate, and the run ends anyway.
            with suppress(JournalError):
                self._journal.write(kind, numbers)


def _keep(kept: list[Problem], problems: Sequence[Problem]) -> None:
    kept.extend(problems[: KEPT - len(kept)])
