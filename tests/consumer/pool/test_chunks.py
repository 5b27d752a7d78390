"""Tests of chunks: how many messages travel together."""

from __future__ import annotations

import pytest

from consumer.pool.chunks import MOST, calls_wanted, chunk_size


@pytest.mark.parametrize(
    ("p95", "expected"),
    [(30.0, 1), (0.005, 1), (0.0049, 4), (0.002, 10), (0.00001, MOST), (0.0, MOST)],
)
def test_messages_travel_together_only_while_handlers_are_fast(p95: float, expected: int) -> None:
    """A chunk is work for 20 ms."""
    assert chunk_size(p95) == expected


@pytest.mark.parametrize(
    ("chunk", "concurrency", "in_hand", "expected"),
    [
        pytest.param(1, 1, 0, 1, id="one at a time"),
        pytest.param(1, 1, 1, 0, id="busy"),
        pytest.param(1, 4, 1, 3, id="a thread each"),
        pytest.param(10, 1, 0, 20, id="two chunks"),
        pytest.param(10, 1, 10, 10, id="the second one"),
        pytest.param(2, 4, 0, 8, id="two for each thread"),
        pytest.param(10, 1, 30, 0, id="enough"),
    ],
)
def test_a_process_gets_what_its_threads_need(
    chunk: int, concurrency: int, in_hand: int, expected: int
) -> None:
    """One message for each thread, or two chunks."""
    assert calls_wanted(chunk, concurrency, in_hand) == expected
