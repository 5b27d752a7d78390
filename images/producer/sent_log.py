"""Sent log: the history of what was asked of SQS and what it answered, to prove a loss from.

A file of JSON lines. Each accepted message has a line. Before a request, a line names what it holds
(`sending`), each message by its origin, number and the digest of its body; after an answer, a line
names what SQS has not taken (`not_sent`). A message that was being sent, and that no later line
names, is indeterminate: SQS may have it, under an id that nobody knows. The digest recognises it.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from producer.errors import SentLogError, UsageError
from shared.body_digest import body_digest
from shared.logs import LineStream, encode_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from producer.messages.outgoing_message import OutgoingMessage

    Accepted = Sequence[tuple[OutgoingMessage, str]]


class NoSentLog:
    """No log: a run that nobody wants a record of."""

    def sending(self, messages: Sequence[OutgoingMessage]) -> None:
        """Write nothing."""

    def accepted(self, accepted: Accepted) -> None:
        """Write nothing."""

    def not_sent(self, messages: Sequence[OutgoingMessage]) -> None:
        """Write nothing."""


class SentLog:
    """Writes the history; each call gives its lines to the operating system before it returns.

    All methods raise SentLogError if a line cannot be written.
    """

    def __init__(self, stream: LineStream, path: Path, wall: Callable[[], float]) -> None:
        """Write to this stream of the file; `wall` returns the time in epoch seconds."""
        self._stream = stream
        self._path = path
        self._wall = wall

    def sending(self, messages: Sequence[OutgoingMessage]) -> None:
        """Record that a request with these messages is about to be made."""
        named = [(item.origin, item.number, body_digest(item.body)) for item in messages]
        self._write([encode_line({"sending": named, "at": self._now()})])

    def accepted(self, accepted: Accepted) -> None:
        """Record messages that SQS accepted, with its ids.

        A line holds message_id, poison, vehicle_id (null when unknown), sent_at (epoch seconds at
        which SQS's answer arrived), and `line` or `element` for what an input held, `index` for
        generated messages.
        """
        self._write([_line(message, id_, self._now()) for message, id_ in accepted])

    def not_sent(self, messages: Sequence[OutgoingMessage]) -> None:
        """Record that SQS has not taken these messages of a request; they may be sent again."""
        if messages:
            named = [(item.origin, item.number) for item in messages]
            self._write([encode_line({"not_sent": named, "at": self._now()})])

    def _now(self) -> float:
        return round(self._wall(), 3)

    def _write(self, lines: list[bytes]) -> None:
        try:
            self._stream.write(lines)
        except OSError as error:
            raise SentLogError(
                f"writing the sent log {self._path} failed: {error.strerror}; not all of the "
                "messages sent last are in it"
            ) from error


@contextmanager
def recording(
    path: Path | None, wall: Callable[[], float], *, append: bool = False
) -> Iterator[SentLog | NoSentLog]:
    """Provide the log of a run.

    Args:
        path: the file, which is overwritten; None for no log.
        wall: returns the time in epoch seconds.
        append: whether to add to the file instead, as a resumed run does.

    Raises:
        UsageError: the file cannot be opened.
    """
    if path is None:
        yield NoSentLog()
        return
    try:
        file = path.open("ab" if append else "wb")
    except OSError as error:
        raise UsageError(f"cannot write the sent log {path}: {error.strerror}") from error
    try:
        yield SentLog(LineStream(file), path, wall)
    finally:
        # Only lines that could not be written, with an error, can fail here again.
        with suppress(OSError):
            file.close()


def _line(message: OutgoingMessage, message_id: str, sent_at: float) -> bytes:
    fields: dict[str, Any] = {
        "message_id": message_id,
        "poison": message.poison,
        message.origin if message.origin.of_input else "index": message.number,
        "vehicle_id": message.vehicle_id,
        "sent_at": sent_at,
    }
    return encode_line(fields)
