"""What was sent: the producer's sent logs, read as a history of requests and answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from tidemill.ledger.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


class _Line(msgspec.Struct):
    """Any line of a sent log: an accepted message, or one that names messages of a request."""

    message_id: str | None = None
    poison: bool = False
    sent_at: float = 0.0
    line: int | None = None
    element: int | None = None
    index: int | None = None
    sending: list[tuple[str, int, str]] = []
    not_sent: list[tuple[str, int]] = []


_decoder = msgspec.json.Decoder(_Line)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that SQS accepted; `sent_at` in epoch seconds of the producer's clock.

    `name` is where it came from, such as "line 17". Two messages with one name are the same line,
    which was sent twice.
    """

    message_id: str
    poison: bool
    sent_at: float
    name: str = ""


@dataclass(slots=True)
class SentHistory:
    """Requests and answers of one or several runs of the producer.

    Attributes:
        accepted: by message id, what SQS accepted.
        unanswered: by name, how many requests with this message got no answer: of each of them,
            SQS may have the message under an id that nobody knows.
        digests: by name, the digest of the body.
        poison: names of messages that were made malformed on purpose.
    """

    accepted: dict[str, SentMessage] = field(default_factory=dict)
    unanswered: Counter[str] = field(default_factory=Counter)
    digests: dict[str, str] = field(default_factory=dict)
    poison: set[str] = field(default_factory=set)

    def begun(self) -> float:
        """Return when the first answer arrived, 0 without one."""
        return min((message.sent_at for message in self.accepted.values()), default=0.0)

    def ids_by_name(self) -> dict[str, list[str]]:
        """Return the ids of the accepted messages of each name."""
        found: dict[str, list[str]] = {}
        for message in self.accepted.values():
            found.setdefault(message.name, []).append(message.message_id)
        return found


def read_sent_logs(paths: Sequence[Path]) -> SentHistory:
    """Return the history of these sent logs together.

    Raises:
        LedgerError: a file cannot be read, or is no sent log.
    """
    history = SentHistory()
    for path in paths:
        try:
            lines = path.read_bytes().splitlines(keepends=True)
        except OSError as error:
            raise LedgerError(f"cannot read the sent log {path}: {error.strerror}") from error
        try:
            add_lines(history, lines, f"{path}: " if len(paths) > 1 else "")
        except msgspec.MsgspecError as error:
            raise LedgerError(f"{path} is no sent log of the producer: {error}") from error
    return history


def add_lines(history: SentHistory, lines: Iterable[bytes], prefix: str = "") -> None:
    """Add the lines of one sent log; a last line without an end was cut off when its run died.

    Args:
        history: what to add to.
        lines: the lines, with their ends.
        prefix: the beginning of the messages' names.

    Raises:
        msgspec.MsgspecError: a line is not one of a sent log.
    """
    for number, text in enumerate(lines):
        if not text.endswith(b"\n"):
            break
        line = _decoder.decode(text)
        for origin, place, digest in line.sending:
            name = f"{prefix}{origin} {place}"
            history.unanswered[name] += 1
            history.digests[name] = digest
            if origin == "poison":
                history.poison.add(name)
        history.unanswered.subtract(f"{prefix}{origin} {at}" for origin, at in line.not_sent)
        if line.message_id is not None:
            name = prefix + _name(line, number)
            history.unanswered[name] -= 1
            history.accepted[line.message_id] = SentMessage(
                line.message_id, line.poison, line.sent_at, name
            )
    history.unanswered = +history.unanswered


def _name(line: _Line, number: int) -> str:
    """Return what `sending` calls the message; logs of others may not have it."""
    if line.line is not None:
        return f"line {line.line}"
    if line.element is not None:
        return f"element {line.element}"
    if line.index is not None:
        return f"{'poison' if line.poison else 'vehicle'} {line.index}"
    return f"message {number}"
