"""Fixtures that the tests of the template share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.emulators.docker import docker_engine
from support.stack.calls import Recorded, record

if TYPE_CHECKING:
    from support.emulators.ministack import Ministack

__all__ = ["docker_engine"]


@pytest.fixture(scope="session")
def recorded(ministack: Ministack, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Return the recorded calls of the real programs, which run once for all tests."""
    return record(ministack, tmp_path_factory.mktemp)
