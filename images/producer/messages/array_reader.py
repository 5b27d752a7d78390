"""Array reader: the elements of a JSON array, one at a time, however large the array is."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Final

from producer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

OUTSIDE: Final = re.compile(rb'["\[\]{},]')
"""What matters outside of a text: the beginning of one, brackets, and commas."""

INSIDE: Final = re.compile(rb'["\\]')
"""What matters inside a text: its end, and a character that hides the next one."""

BLANK: Final = b" \t\r\n"


class _Splitter:
    """Splits an array's bytes into elements by brackets, commas and quotes alone.

    So an element that is not valid JSON, or too long, spoils none of the others.
    """

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._depth = 0
        self._in_text = False
        self._hidden = False
        self._ended = False
        self._parts: list[bytes] = []
        self._size = 0
        self.number = 0

    def split(self, piece: bytes) -> Iterator[tuple[int, bytes | None]]:
        """Yield the elements that end in this piece."""
        start = position = 0
        while position < len(piece):
            if self._hidden:
                self._hidden, position = False, position + 1
                continue
            found = (INSIDE if self._in_text else OUTSIDE).search(piece, position)
            if found is None:
                break
            position = found.end()
            before = self._depth
            if before == 0 and found[0] != b"[":
                raise InputError(f"reading {self._name} failed: it is not a JSON array")
            self._take(found[0])
            if before == 0 or (before == 1 and found[0] in b",]" and not self._in_text):
                self._keep(piece[start : found.start()])
                start = position
                yield from self._element(last=self._depth == 0, first=before == 0)
        self._keep(piece[start:])

    def finish(self) -> None:
        """Raise InputError if the array has not ended."""
        if not self._ended:
            raise InputError(
                f"reading {self._name} failed: the JSON array does not end: "
                f"it breaks off in element {self.number + 1}"
            )

    def _take(self, mark: bytes) -> None:
        if self._in_text:
            self._hidden = mark == b"\\"
            self._in_text = self._hidden
        elif mark == b'"':
            self._in_text = True
        elif mark in b"[{":
            self._depth += 1
        elif mark in b"]}":
            self._depth -= 1

    def _keep(self, part: bytes) -> None:
        if self._ended and part.strip(BLANK):
            raise InputError(
                f"reading {self._name} failed: there is text after the end of the JSON array"
            )
        self._size += len(part)
        if self._size > self._limit:
            self._parts.clear()  # an element that is too long is never held in memory
        elif part:
            self._parts.append(part)

    def _element(self, *, last: bool, first: bool) -> Iterator[tuple[int, bytes | None]]:
        element = b"".join(self._parts).strip(BLANK)
        too_long = self._size > self._limit
        self._parts, self._size = [], 0
        if first or self._ended:
            if element or self._ended:
                raise InputError(
                    f"reading {self._name} failed: there is text around the JSON array"
                )
            return
        self._ended = last
        if last and not self.number and not element and not too_long:
            return  # an empty array
        self.number += 1
        yield self.number, None if too_long else element


def split_array(
    pieces: Iterable[bytes | None], name: str, limit: int
) -> Iterator[tuple[int, bytes | None] | None]:
    """Yield (number from 1, element's text) of a JSON array, and None wherever the input pauses.

    An element of more than `limit` bytes becomes (number, None), and is never held in memory.

    Raises:
        InputError: the array does not end, or there is text around it.
    """
    splitter = _Splitter(name, limit)
    begun = False
    for piece in pieces:
        if piece is None:
            yield None
            continue
        if not begun:
            begun = bool(piece)
            yield from splitter.split(piece.removeprefix(codecs.BOM_UTF8))
        else:
            yield from splitter.split(piece)
    splitter.finish()
