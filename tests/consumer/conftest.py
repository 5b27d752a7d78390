"""Fixture of the tests of the consumer's process: its stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.emulators.consumer_stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.ministack import Ministack


@pytest.fixture
def stage(ministack: Ministack, tmp_path: Path) -> Stage:
    """Provide queues of this test's own."""
    return Stage(ministack, tmp_path)
