"""Results of a run: what happened to each message and line (sent, failed, unsent, rejected)."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final

from producer.messages.outgoing_message import Origin, OutgoingMessage, RejectedLine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from producer.errors import InputError
    from producer.ports import Progress

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

    `poison` of the `sent` messages were malformed on purpose. `last_line` is the last line that was
    read, `input_error` the reason why the rest could not be read.
    """

    sent: int = 0
    poison: int = 0
    failed: int = 0
    unsent: int = 0
    rejected: int = 0
    last_line: int = 0
    failures: list[Problem] = field(default_factory=list)
    rejections: list[Problem] = field(default_factory=list)
    input_error: InputError | None = None


class SendResults:
    """Records the results of messages; safe in several threads at once."""

    def __init__(
        self, progress: Progress, record: Callable[[Sequence[tuple[OutgoingMessage, str]]], None]
    ) -> None:
        """Show results on `progress`; `record` writes (message, SQS's id) to the sent log."""
        self._progress = progress
        self._record = record
        self._lock = Lock()
        self._delayed = False
        self.totals = SendTotals()

    def record_read(self, message: OutgoingMessage) -> None:
        """Record that a message was read from the input."""
        if message.origin is Origin.LINE:
            self.totals.last_line = message.number

    def record_accepted(self, accepted: Sequence[tuple[OutgoingMessage, str]]) -> None:
        """Record messages that SQS accepted, with the ids that it assigned.

        Raises:
            SentLogError: the sent log cannot be written; the messages count as sent, as they were.
        """
        with self._lock:
            self._delayed = False
            self.totals.sent += len(accepted)
            self.totals.poison += sum(message.poison for message, _ in accepted)
            self._record(accepted)
        self._progress.advance(len(accepted))

    def record_failed(self, failed: Sequence[tuple[OutgoingMessage, str]]) -> None:
        """Record messages that will not be tried again, each with the reason."""
        problems = [Problem(message.name(), reason) for message, reason in failed]
        with self._lock:
            self.totals.failed += len(problems)
            _keep(self.totals.failures, problems)
        for problem in problems:
            self._progress.note(f"not sent: {problem}")
        self._progress.advance(len(problems))

    def record_unsent(self, messages: Sequence[OutgoingMessage]) -> None:
        """Record messages that were read but not sent because the run ended."""
        with self._lock:
            self.totals.unsent += len(messages)

    def record_invalid(self, rejected: RejectedLine) -> None:
        """Record a line of the input that cannot be sent."""
        with self._lock:
            self.totals.rejected += 1
            self.totals.last_line = rejected.line
            _keep(self.totals.rejections, [Problem(f"line {rejected.line}", rejected.reason)])

    def record_skipped(self, rejected: RejectedLine) -> None:
        """Record a line that cannot be sent, and show it, as the run goes on."""
        self.record_invalid(rejected)
        self._progress.note(f"skipped: line {rejected.line}: {rejected.reason}")

    def report_delay(self, reason: str) -> None:
        """Show that the queue accepts nothing, once until it accepts messages again."""
        with self._lock:
            already_shown, self._delayed = self._delayed, True
        if not already_shown:
            self._progress.note(f"trying again: {reason}")

    def record_input_error(self, error: InputError) -> None:
        """Record that the rest of the input cannot be read."""
        self.totals.input_error = error


def _keep(kept: list[Problem], problems: Sequence[Problem]) -> None:
    kept.extend(problems[: KEPT - len(kept)])
