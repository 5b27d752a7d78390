"""Gzip reader: decompresses input that begins with gzip's two bytes, a chunk at a time."""

from __future__ import annotations

import zlib
from itertools import chain
from typing import TYPE_CHECKING, Final

from producer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAGIC: Final = b"\x1f\x8b"
"""The first bytes of every gzip file (RFC 1952), with which no JSON or CSV begins."""

LARGEST: Final = 65_536
"""Bytes that are decompressed at once: a small file may hold gigabytes."""

GZIP: Final = 31
"""zlib's `wbits` for a gzip member with the largest window."""


def decompressed(pieces: Iterable[bytes | None], name: str) -> Iterator[bytes | None]:
    """Yield the pieces as they are, or decompressed if they are gzip; None stays None.

    Raises:
        InputError: the compressed data are damaged, or end too early.
    """
    iterator = iter(pieces)
    first = b""
    for piece in iterator:
        if piece is None:
            yield None
            continue
        first += piece
        if len(first) >= len(MAGIC):
            break
    whole = chain([first], iterator)
    yield from _gunzipped(whole, name) if first.startswith(MAGIC) else whole


def _gunzipped(pieces: Iterable[bytes | None], name: str) -> Iterator[bytes | None]:
    member = zlib.decompressobj(GZIP)
    begun = False  # inside a member: a file may hold several, one after the other
    for piece in pieces:
        if piece is None:
            yield None
            continue
        data = piece if begun else piece.lstrip(b"\0")  # tapes pad the end with zeros
        while data:
            begun = True
            try:
                yield member.decompress(data, LARGEST)
            except zlib.error as error:
                raise InputError(f"reading {name} failed: damaged gzip data: {error}") from error
            if member.eof:
                data = member.unused_data.lstrip(b"\0")
                member, begun = zlib.decompressobj(GZIP), False
            else:
                data = member.unconsumed_tail
    if begun:
        raise InputError(f"reading {name} failed: the gzip data end too early")
