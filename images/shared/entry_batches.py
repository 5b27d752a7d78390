"""Entry batches: how many bytes of an entry count for SQS, and which entries fit in one request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.quotas import MAX_BATCH, MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shared.queue import OutgoingEntry


def size(entry: OutgoingEntry) -> int:
    """Return the bytes that count for SQS: body, and names, types and values of attributes."""
    return length(entry.body) + sum(
        attribute_size(name, value, entry.attribute_types.get(name))
        for name, value in entry.attributes.items()
    )


def attribute_size(name: str, value: str | bytes, kind: str | None) -> int:
    """Return the bytes of one attribute; without a data type it is a String."""
    return length(name) + len(kind or "String") + length(value)


def length(value: str | bytes) -> int:
    """Return the bytes of a text in UTF-8, or of bytes."""
    return len(value.encode(errors="surrogatepass") if isinstance(value, str) else value)


def batches(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each batch: at most ten messages, and 1 MiB in all."""
    begin, total = 0, 0
    for index, each in enumerate(sizes):
        if index - begin == MAX_BATCH or (index > begin and total + each > MAX_BYTES):
            yield begin, index
            begin, total = index, 0
        total += each
    if sizes:
        yield begin, len(sizes)
