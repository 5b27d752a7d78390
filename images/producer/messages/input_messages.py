"""Input messages: each line, element or row of the input becomes a message, or a rejection."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Final

import msgspec

from producer.errors import InputError
from producer.messages.array_reader import split_array
from producer.messages.csv_reader import Row, rows, typed
from producer.messages.gzip_reader import decompressed
from producer.messages.line_reader import chunks, name_of, split_lines
from producer.messages.message_maker import TOO_LONG
from producer.messages.outgoing_message import Origin, OutgoingMessage, RejectedLine
from shared.quotas import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import FileIO

    from producer.messages.message_maker import MessageMaker
    from shared.stopping import Stop

    Items = Iterator[OutgoingMessage | RejectedLine | None]

ROOM: Final = 2
"""An element's text may have this many times MAX_BYTES, as its line ends are not sent."""


class Format(StrEnum):
    """What an input holds: decided by its name and its first character (auto), or given."""

    AUTO = "auto"
    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"


class CsvTypes(StrEnum):
    """What values of CSV are sent as: texts, or JSON's numbers, true, false and null as such."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Input:
    """An input: its path or '-', what it holds, and which columns of CSV are attributes."""

    path: str
    format: Format = Format.AUTO
    csv_types: CsvTypes = CsvTypes.TEXT
    attribute_columns: tuple[str, ...] = ()


def read(file: FileIO, source: Input, maker: MessageMaker, stop: Stop) -> Items:
    """Yield a message or a rejection for each line, element or row; None where the input pauses.

    Raises:
        InputError: reading failed.
    """
    name = name_of(source.path)
    pieces = decompressed(chunks(file, source.path, stop), name)
    found, pieces = _recognised(source, pieces)
    # One byte more than the limit: a line from Windows ends with a carriage return.
    lines = split_lines(pieces, MAX_BYTES + 1)
    if found is Format.JSON:
        yield from elements(split_array(pieces, name, ROOM * MAX_BYTES), maker)
    elif found is Format.CSV:
        yield from table_rows(rows(lines, name, TOO_LONG), source, maker)
    else:
        yield from checked(lines, maker)


def checked(lines: Iterable[tuple[int, bytes | None] | None], maker: MessageMaker) -> Items:
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
            yield maker.of_input(number, line.removesuffix(b"\r"))


def elements(found: Iterable[tuple[int, bytes | None] | None], maker: MessageMaker) -> Items:
    """Yield a message or a rejection for each element of an array; None stays None."""
    for entry in found:
        if entry is None:
            yield None
            continue
        number, element = entry
        if element is None:
            yield RejectedLine(number, TOO_LONG, Origin.ELEMENT)
        else:
            yield maker.of_input(number, element, Origin.ELEMENT)


def table_rows(
    found: Iterable[Row | RejectedLine | None], source: Input, maker: MessageMaker
) -> Items:
    """Yield a message for each row, its attribute columns apart; rejections and None stay.

    Raises:
        InputError: an attribute column is not in the header.
    """
    for row in found:
        if not isinstance(row, Row):
            yield row
            continue
        values = dict(row.values)
        for column in source.attribute_columns:
            if column not in values:
                names = (name if name.isprintable() else repr(name) for name in row.values)
                raise InputError(f"--attribute-column {column}: the header has {', '.join(names)}")
        # SQS accepts no empty attribute: an empty value is one that the message does not have.
        own = {name: text for name in source.attribute_columns if (text := values.pop(name))}
        body = (
            {name: typed(text) for name, text in values.items()}
            if source.csv_types is CsvTypes.JSON
            else values
        )
        yield maker.of_input(row.line, msgspec.json.encode(body), Origin.LINE, own)


def _recognised(
    source: Input, pieces: Iterator[bytes | None]
) -> tuple[Format, Iterator[bytes | None]]:
    """Return what the input holds, and all of its pieces."""
    if source.format is not Format.AUTO:
        return source.format, pieces
    name = source.path.lower().removesuffix(".gz")
    if name.endswith(".csv"):
        return Format.CSV, pieces
    if name.endswith((".jsonl", ".ndjson")):
        return Format.JSONL, pieces
    held: list[bytes | None] = []
    for piece in pieces:
        if piece:
            held.append(piece)
            if text := piece.removeprefix(codecs.BOM_UTF8).lstrip():
                return (Format.JSON if text[:1] == b"[" else Format.JSONL), chain(held, pieces)
    return Format.JSONL, iter(held)
