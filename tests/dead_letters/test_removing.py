"""Deleting letters: those that were confirmed, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.letters import Bench, received
from support.fakes.letters import Caller, Calls, Mishap

from shared.errors import QueueRefusedError
from tidemill.dead_letters.removing import remove
from tidemill.dead_letters.sweep import Sweep

if TYPE_CHECKING:
    from pathlib import Path


def test_only_the_letters_that_were_named_are_deleted(tmp_path: Path) -> None:
    """One that has come meanwhile stays, and so does everything else."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(25)
    bench.dead.put(received("late"))
    deleted: set[str] = set()
    remove(Sweep(Caller(bench.dead, Calls()), bench.time), ids[::2], deleted)
    assert deleted == set(ids[::2])
    assert bench.dead.visible == [*ids[1::2], "late"]


def test_what_was_deleted_before_an_error_is_known(tmp_path: Path) -> None:
    """The rest is visible again."""
    bench = Bench(tmp_path / "journal")
    ids = bench.fill(25)
    deleted: set[str] = set()
    calls = Calls({3: Mishap.DENIED})
    with pytest.raises(QueueRefusedError):
        remove(Sweep(Caller(bench.dead, calls), bench.time), ids, deleted)
    assert deleted == set(ids[:10])
    assert bench.dead.visible == ids[10:]
