"""Fixtures that tests of several packages share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.emulators import ministack as support

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def ministack() -> Iterator[support.Ministack]:
    """Lend one MiniStack to all tests of a run; each test creates queues of its own name."""
    with support.running() as server:
        yield server
