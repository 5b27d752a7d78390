"""The fixture of the tests of `tidemill dlq`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from support.emulators.letter_desk import Desk
from support.emulators.ministack import CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.emulators.ministack import Ministack


@pytest.fixture
def desk(
    ministack: Ministack,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Desk]:
    """Provide queues of this test's own, in a folder of its own."""
    before = dict(os.environ)  # commands about a rig take its environment
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update({**CREDENTIALS, "AWS_ENDPOINT_URL": ministack.endpoint})
    monkeypatch.chdir(tmp_path)
    number = crc32(request.node.nodeid.encode())
    yield Desk(ministack, f"dlq{number}{getattr(request, 'param', '')}", tmp_path)
    os.environ.clear()
    os.environ.update(before)
