"""Tests of folders of log files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.builders.ledger import Story

from tidemill.ledger.folder import LineFolder

if TYPE_CHECKING:
    from pathlib import Path


def text_of(*processed: str) -> str:
    """Return the lines of a worker that processed these messages."""
    story = Story()
    for message_id in processed:
        story.attempt("i-1", message_id)
    return "".join(f"{json.dumps(line)}\n" for _, line in story.worker_lines)


def test_logs_are_read_as_they_grow(tmp_path: Path) -> None:
    """An incomplete line is read later, and nothing counts twice."""
    path = tmp_path / "i-1.jsonl"
    whole = text_of("a", "b")
    logs = LineFolder(tmp_path)
    for cut in (5, len(whole) - 3, len(whole) - 1):
        path.write_text(whole[:cut])
        logs.read()
    assert logs.record.processed == {"a": 1}
    path.write_text(whole)
    logs.read()
    logs.read()
    assert logs.record.processed == {"a": 1, "b": 1}


def test_workers_that_start_later_are_read_too(tmp_path: Path) -> None:
    """A message that two workers processed counts twice."""
    logs = LineFolder(tmp_path)
    (tmp_path / "i-1.jsonl").write_text(text_of("a", "b"))
    logs.read()
    (tmp_path / "i-2.jsonl").write_text(text_of("a"))
    (tmp_path / "i-2.err").write_text(text_of("c"))
    logs.read()
    assert logs.record.processed == {"a": 2, "b": 1}
