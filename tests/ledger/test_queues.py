"""Tests of looks at queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tidemill.ledger.errors import LedgerError
from tidemill.ledger.queues import QUEUES, QueueLook, Queues, read_queues, write_queues

if TYPE_CHECKING:
    from pathlib import Path


def test_a_look_is_kept(tmp_path: Path) -> None:
    """The queues of a demo are gone when its ledger is printed again."""
    queues = Queues(QueueLook({"a": "1f"}, 3), QueueLook({"b": "2f"}))
    write_queues(tmp_path, queues)
    assert read_queues(tmp_path) == queues


def test_without_a_look_the_file_is_named(tmp_path: Path) -> None:
    """One sentence says what is missing, or damaged."""
    with pytest.raises(LedgerError, match=r"cannot read .*queues.json: No such file"):
        read_queues(tmp_path)
    (tmp_path / QUEUES).write_text('{"work": 3}')
    with pytest.raises(LedgerError, match=r"queues.json is no record of two queues"):
        read_queues(tmp_path)
