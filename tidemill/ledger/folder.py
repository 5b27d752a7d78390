"""A folder of log files, read while they grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.ledger.lines import WorkerRecord

if TYPE_CHECKING:
    from pathlib import Path


class LineFolder:
    """The *.jsonl files of a folder, one for each instance; `record` is what they say."""

    def __init__(self, folder: Path) -> None:
        """Read this folder's files, including those that are created later."""
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self.record = WorkerRecord()

    def read(self) -> None:
        """Read the complete lines that were written since the last call."""
        for path in sorted(self._folder.glob("*.jsonl")):
            with path.open("rb") as stream:
                stream.seek(self._offsets.get(path, 0))
                whole, newline, _ = stream.read().rpartition(b"\n")
            self._offsets[path] = self._offsets.get(path, 0) + len(whole) + len(newline)
            for line in whole.split(b"\n"):
                self.record.add(path.stem, line)
