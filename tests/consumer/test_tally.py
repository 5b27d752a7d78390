"""Tests of counting."""

from __future__ import annotations

from consumer.emf import Counts
from consumer.tally import Tally


def test_counts_add_up_until_they_are_taken() -> None:
    """The next cycle starts at zero."""
    tally = Tally()
    tally.add(Counts(received=10))
    tally.add(Counts(processed=8, failed=1, invalid=1, deleted=8))
    assert tally.take() == Counts(10, 8, 1, 1, 8)
    assert tally.take() == Counts()
