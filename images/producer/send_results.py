"""Keeps account of every message of a run: accepted, failed, not sent, or a line skipped."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Final

from producer.outgoing_message import Origin, Outgoing, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from producer.errors import InputError
    from producer.ports import Progress

KEPT: Final = 1_000
"""Reasons kept for the summary; all are shown when they happen, and all are counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A message or line that did not go out, and why; `reason` is for people."""

    what: str
    reason: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.what}: {self.reason}"


@dataclass(slots=True)
class Tally:
    """How many messages met which fate.

    `poison` of the `sent` ones were malformed on purpose. `last_line` is how far the input was
    read, `broken_off` why it could not be read any further.
    """

    sent: int = 0
    poison: int = 0
    failed: int = 0
    unsent: int = 0
    rejected: int = 0
    last_line: int = 0
    failures: list[Problem] = field(default_factory=list)
    rejections: list[Problem] = field(default_factory=list)
    broken_off: InputError | None = None


class Ledger:
    """Books what happens to messages, from several threads at once."""

    def __init__(
        self, progress: Progress, record: Callable[[Sequence[tuple[Outgoing, str]]], None]
    ) -> None:
        """Show what happens on `progress`; `record` writes (message, SQS's id) in the sent log."""
        self._progress = progress
        self._record = record
        self._lock = Lock()
        self._delayed = False
        self.tally = Tally()

    def take(self, message: Outgoing) -> None:
        """Book that a message was taken from the input."""
        if message.origin is Origin.LINE:
            self.tally.last_line = message.number

    def accept(self, accepted: Sequence[tuple[Outgoing, str]]) -> None:
        """Book messages that SQS accepted, with the ids it gave them.

        Raises:
            SentLogError: they cannot be written down; they are counted as sent, as they were.
        """
        with self._lock:
            self._delayed = False
            self.tally.sent += len(accepted)
            self.tally.poison += sum(message.poison for message, _ in accepted)
            self._record(accepted)
        self._progress.advance(len(accepted))

    def fail(self, failed: Sequence[tuple[Outgoing, str]]) -> None:
        """Book messages that were tried and will not be tried again, each with the reason."""
        problems = [Problem(message.name(), reason) for message, reason in failed]
        with self._lock:
            self.tally.failed += len(problems)
            _keep(self.tally.failures, problems)
        for problem in problems:
            self._progress.note(f"not sent: {problem}")
        self._progress.advance(len(problems))

    def leave(self, messages: Sequence[Outgoing]) -> None:
        """Book messages that were taken but not sent because the run ended."""
        with self._lock:
            self.tally.unsent += len(messages)

    def reject(self, rejected: Rejected) -> None:
        """Book a line of the input that cannot be sent."""
        with self._lock:
            self.tally.rejected += 1
            self.tally.last_line = rejected.line
            _keep(self.tally.rejections, [Problem(f"line {rejected.line}", rejected.reason)])

    def skip(self, rejected: Rejected) -> None:
        """Book a line that cannot be sent and say so, as the run goes on."""
        self.reject(rejected)
        self._progress.note(f"skipped: line {rejected.line}: {rejected.reason}")

    def delay(self, reason: str) -> None:
        """Say that the queue does not take messages for now; once until it takes some again."""
        with self._lock:
            said, self._delayed = self._delayed, True
        if not said:
            self._progress.note(f"trying again: {reason}")

    def break_off(self, error: InputError) -> None:
        """Book that the rest of the input cannot be read."""
        self.tally.broken_off = error


def _keep(kept: list[Problem], problems: Sequence[Problem]) -> None:
    kept.extend(problems[: KEPT - len(kept)])
