"""Fixtures of the consumer's tests: its process's stage, and its events among caplog's records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.emulators.consumer_stage import Stage

from consumer.logs import events

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.emulators.ministack import Ministack


@pytest.fixture
def stage(ministack: Ministack, tmp_path: Path) -> Stage:
    """Provide queues of this test's own."""
    return Stage(ministack, tmp_path)


@pytest.fixture(autouse=True)
def events_in_caplog(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let caplog have the consumer's events, whose hierarchy it does not know."""
    before, level = events.root.handlers, events.root.level
    events.root.handlers = [caplog.handler]
    yield
    events.root.handlers = before
    events.root.setLevel(level)
