"""CSV reader: each row becomes an object with the names of the header."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from producer.errors import InputError
from producer.messages.outgoing_message import RejectedLine
from shared.quotas import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DELIMITERS: Final = ",;\t"
"""What may separate values: the one that occurs most in the header, a comma if none does."""

csv.field_size_limit(MAX_BYTES)


@dataclass(frozen=True, slots=True)
class Row:
    """A row by the line at which it begins: its values by column."""

    line: int
    values: dict[str, str]


class _Table:
    """The rows of a CSV input, of which the first names the columns."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._delimiter = ","
        self._columns: list[str] = []

    def row(self, line: int, raw: bytes) -> Row | RejectedLine | None:
        """Return the row of these bytes, or None for the header and for a blank line.

        Raises:
            InputError: the header cannot be used.
            EOFError: the row goes on in the next line, as a quote is still open.
        """
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            return RejectedLine(line, f"not UTF-8: {error.reason} at byte {error.start + 1}")
        if not self._columns:
            self._delimiter = max(DELIMITERS, key=text.count)
        try:
            parsed = next(csv.reader([text], delimiter=self._delimiter, strict=True), [])
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise EOFError from error
            return RejectedLine(line, f"not CSV: {error}")
        if not any(value.strip() for value in parsed):
            return None
        if not self._columns:
            self._columns = self._checked(parsed)
            return None
        if len(parsed) != len(self._columns):
            return RejectedLine(line, f"{len(parsed)} values for {len(self._columns)} columns")
        return Row(line, dict(zip(self._columns, parsed, strict=True)))

    def _checked(self, header: list[str]) -> list[str]:
        columns = [name.strip() for name in header]
        for name in columns:
            if not name or columns.count(name) > 1:
                wrong = f"names {name!r} twice" if name else "has a column without a name"
                raise InputError(f"reading {self._name} failed: the header {wrong}")
        return columns


def rows(
    lines: Iterable[tuple[int, bytes | None] | None], name: str, too_long: str
) -> Iterator[Row | RejectedLine | None]:
    """Yield the rows below the header, or rejections, and None wherever the input pauses.

    A value in quotes may hold line ends. A row is never held beyond MAX_BYTES.

    Raises:
        InputError: the header cannot be used.
    """
    table = _Table(name)
    begun, held = 0, b""
    for entry in lines:
        if entry is None:
            yield None
            continue
        number, line = entry
        begun = begun if held else number
        if line is None or len(held) + len(line) > MAX_BYTES:
            held = b""
            yield RejectedLine(begun, too_long)
            continue
        held += (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line) + b"\n"
        if begun != number and line.count(b'"') % 2 == 0:
            continue  # an even number of quotes leaves the open one open
        try:
            found = table.row(begun, held)
        except EOFError:
            continue
        held = b""
        if found is not None:
            yield found
    if held:
        yield RejectedLine(begun, "not CSV: a quote that is not closed")


def typed(text: str) -> object:
    """Return what to encode for a text that is JSON's number, true, false or null; else the text.

    All digits of a number are kept, as a float would not keep them: it is encoded as written.
    """
    try:
        value: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    if value is None or isinstance(value, bool):
        return value
    return msgspec.Raw(text.strip().encode()) if isinstance(value, int | float) else text
