"""Fixture of the tests of pools: the ones to close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.thread_pools import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.builders.thread_pools import Bench


@pytest.fixture
def benches() -> Iterator[list[Bench]]:
    """Provide a list of pools that are closed after the test."""
    built: list[Bench] = []
    yield built
    for bench in built:
        bench.release.set()
        bench.pool.close(PATIENCE)
