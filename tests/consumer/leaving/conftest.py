"""What tests of leaving consumers share: queues of their own, and a proxy in front of SQS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.emulators.recording_proxy import recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.emulators.consumer_stage import Stage
    from support.emulators.recording_proxy import Recorder


@pytest.fixture
def proxy(stage: Stage) -> Iterator[Recorder]:
    """Provide a proxy through which the stage's consumers call SQS."""
    with recording(stage.server.endpoint) as recorder:
        yield recorder
