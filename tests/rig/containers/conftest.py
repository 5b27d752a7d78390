"""Fixtures of the tests of containers: worlds over an engine in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.containers import Stage
from support.fakes.engines import FakeEngine

from tidemill.rig.containers.options import Depth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.builders.containers import Stages


@pytest.fixture
def stage_of(tmp_path: Path) -> Iterator[Stages]:
    """Provide a function that creates stages; close them at the end."""
    stages: list[Stage] = []

    def make(
        depth: Depth = Depth.DIRECT,
        engine: FakeEngine | None = None,
        fleet: str = "mill",
        speed: float = 1,
    ) -> Stage:
        stages.append(Stage(tmp_path, depth, engine or FakeEngine(), fleet, speed))
        return stages[-1]

    yield make
    for stage in stages:
        stage.world.close()
