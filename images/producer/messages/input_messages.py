"""Input messages: each line becomes a message to send, or a rejected line with its reason."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Final

from producer.messages.line_reader import chunks, split_lines
from producer.messages.outgoing_message import Origin, OutgoingMessage, RejectedLine
from shared.errors import InvalidMessageError
from shared.message import parse
from shared.quotas import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import FileIO

    from shared.stopping import Stop

TOO_LONG: Final = f"more than {MAX_BYTES} bytes, the most that SQS accepts"

FORBIDDEN: Final = re.compile("[\ufffe\uffff]")
"""The characters that JSON allows and SQS refuses (API reference, SendMessage)."""


def read(
    file: FileIO, path: str, latest_year: int, stop: Stop
) -> Iterator[OutgoingMessage | RejectedLine | None]:
    """Yield a message or a rejection for each line that is not blank, None where the input pauses.

    Raises:
        InputError: reading failed.
    """
    # One byte more than the limit: a line from Windows ends with a carriage return.
    return checked(split_lines(chunks(file, path, stop), MAX_BYTES + 1), latest_year)


def checked(
    lines: Iterable[tuple[int, bytes | None] | None], latest_year: int
) -> Iterator[OutgoingMessage | RejectedLine | None]:
    """Yield a message or a rejection for each line that is not blank; None stays None."""
    for entry in lines:
        if entry is None:
            yield None
            continue
        number, line = entry
        if line is None:
            yield RejectedLine(number, TOO_LONG)
            continue
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if line.strip():
            yield _outgoing(number, line.removesuffix(b"\r"), latest_year)


def _outgoing(number: int, line: bytes, latest_year: int) -> OutgoingMessage | RejectedLine:
    if len(line) > MAX_BYTES:
        return RejectedLine(number, TOO_LONG)
    try:
        vehicle = parse(line, latest_year).vehicle
        body = line.decode()
    except InvalidMessageError as error:
        return RejectedLine(number, str(error))
    except UnicodeDecodeError as error:
        return RejectedLine(number, f"not UTF-8: {error.reason} at byte {error.start + 1}")
    if found := FORBIDDEN.search(body):
        return RejectedLine(number, f"SQS does not accept the character U+{ord(found[0]):04X}")
    return OutgoingMessage(body, len(line), Origin.LINE, number, vehicle.vehicle_id)
