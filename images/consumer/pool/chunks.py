"""Chunks: how many messages a worker process gets at a time. Pure.

Handing a message over costs some 50 µs if it travels by itself, which is a lot beside a handler of
20 µs and nothing beside one of 20 ms. So messages travel together only while handlers are fast:
a slow one then delays only the few behind it, and those are taken back from it (see the page).
"""

from __future__ import annotations

from typing import Final

FAST: Final = 0.005
"""Seconds: the p95 of handlers below which messages travel together."""
CHUNK_SECONDS: Final = 0.02
"""Work in one chunk, measured by the p95."""
MOST: Final = 64


def chunk_size(p95: float) -> int:
    """Return how many messages travel together: 10 for a p95 of 2 ms, 1 from 5 ms on."""
    if p95 >= FAST:
        return 1
    return max(1, min(MOST, int(CHUNK_SECONDS / max(p95, 1e-9))))


def calls_wanted(chunk: int, concurrency: int, in_hand: int) -> int:
    """Return how many more calls of the handler a worker process should get now.

    One for each thread while messages travel alone. Two chunks otherwise, so that there is one to
    work on while the other travels.
    """
    if chunk == 1:
        return max(0, concurrency - in_hand)
    most = 2 * max(chunk, concurrency)
    return max(0, most - in_hand)
