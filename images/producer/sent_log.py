"""Sent log: one JSON line for each accepted message, so that a loss can be proved."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from producer.errors import SentLogError, UsageError
from shared.logs import LineStream, encode_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from producer.messages.outgoing_message import OutgoingMessage

    Accepted = Sequence[tuple[OutgoingMessage, str]]


def record_nothing(_accepted: Accepted) -> None:
    """Write no log."""


@contextmanager
def recording(
    path: Path | None, wall: Callable[[], float], *, append: bool = False
) -> Iterator[Callable[[Accepted], None]]:
    """Provide a function that writes accepted messages to the log and flushes after each batch.

    A line holds message_id, poison, vehicle_id (null when unknown), sent_at (epoch seconds at
    which SQS's answer arrived), and `line` or `element` for what an input held, `index` for
    generated messages.

    Args:
        path: the file, which is overwritten; None for no log.
        wall: returns the time in epoch seconds.
        append: whether to add to the file instead, as a resumed run does.

    Raises:
        UsageError: the file cannot be opened; the function raises SentLogError.
    """
    if path is None:
        yield record_nothing
        return
    try:
        file = path.open("ab" if append else "wb")
    except OSError as error:
        raise UsageError(f"cannot write the sent log {path}: {error.strerror}") from error
    stream = LineStream(file)

    def record(accepted: Accepted) -> None:
        try:
            stream.write([_line(message, id_, wall()) for message, id_ in accepted])
        except OSError as error:
            raise SentLogError(
                f"writing the sent log {path} failed: {error.strerror}; not all of the messages "
                "sent last are in it"
            ) from error

    try:
        yield record
    finally:
        # Only lines that `record` failed to write, and raised an error for, can fail here again.
        with suppress(OSError):
            file.close()


def _line(message: OutgoingMessage, message_id: str, sent_at: float) -> bytes:
    return encode_line(
        {
            "message_id": message_id,
            "poison": message.poison,
            message.origin if message.origin.of_input else "index": message.number,
            "vehicle_id": message.vehicle_id,
            "sent_at": round(sent_at, 3),
        }
    )
