"""The last line that a failed program wrote."""

from __future__ import annotations

import shutil
from collections import namedtuple
from typing import TYPE_CHECKING

import pytest

from tidemill.rig.last_words import last_words

if TYPE_CHECKING:
    from pathlib import Path

Usage = namedtuple("Usage", ["total", "used", "free"])  # noqa: PYI024 - as shutil's own


@pytest.mark.parametrize(
    ("output", "free", "said"),
    [
        ("one\ntwo\n\n", 0, "two"),
        ("", 0, "it failed: there is no room left on the disk of {folder}"),
        ("", 1 << 30, "it failed, and wrote nothing to {folder}/out"),
    ],
    ids=["said", "no-room", "silent"],
)
def test_it_is_the_last_line_or_why_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, free: int, said: str
) -> None:
    """A full disk keeps a program from saying that the disk is full."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free, 0, free))
    (tmp_path / "out").write_text(output)
    assert last_words(tmp_path / "out", "it failed") == said.format(folder=tmp_path)
