"""Tests of SQS's quotas: each number is defined once."""

from __future__ import annotations

from shared import quotas
from tidemill.scaling.template import queue


def test_the_core_reads_queues_within_the_same_quotas() -> None:
    """The core imports nothing of the images, so it has numbers of its own."""
    assert queue.VISIBILITY_TIMEOUT == (0, quotas.MAX_VISIBILITY)
    assert queue.RECEIVE_COUNT_DEFAULT == quotas.DEFAULT_MAX_RECEIVE_COUNT


def test_retention_is_4_days_and_14_at_most() -> None:
    """The numbers are those of AWS's pages."""
    assert (quotas.DEFAULT_RETENTION / 86_400, quotas.MAX_RETENTION / 86_400) == (4, 14)


def test_the_size_limit_is_a_mebibyte() -> None:
    """The number is that of "Amazon SQS message quotas" since August 2025."""
    assert quotas.MAX_BYTES == 1024 * 1024
