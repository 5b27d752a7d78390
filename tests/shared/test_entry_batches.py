"""Entries of a request: at most ten, and 1 MiB in all."""

from __future__ import annotations

import pytest

from shared.entry_batches import batches, size
from shared.queue import OutgoingEntry
from shared.quotas import MAX_BYTES


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        ([], []),
        ([1] * 10, [(0, 10)]),
        ([1] * 11, [(0, 10), (10, 11)]),
        ([MAX_BYTES, 1, MAX_BYTES - 1], [(0, 1), (1, 3)]),
        ([MAX_BYTES] * 2, [(0, 1), (1, 2)]),
    ],
    ids=["none", "ten", "eleven", "bytes", "largest"],
)
def test_a_batch_ends_where_sqs_would_refuse_it(
    sizes: list[int], wanted: list[tuple[int, int]]
) -> None:
    """Every entry is in exactly one."""
    assert list(batches(sizes)) == wanted


def test_attributes_count_with_their_names_and_types() -> None:
    """In bytes of UTF-8."""
    entry = OutgoingEntry("ü", {"a": "xy", "b": b"\xff"}, {"b": "Binary.png"})
    assert size(entry) == 2 + (1 + 6 + 2) + (1 + 10 + 1)
