"""Consumers' logs: counts how often each message was processed, while the logs grow."""

from __future__ import annotations

from collections import Counter
from datetime import datetime  # noqa: TC003 - msgspec looks it up
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


class _Line(msgspec.Struct):
    """The fields of a consumer's log line that are needed here; most lines have only a few."""

    event: str = ""
    time: datetime | None = None
    message_id: str = ""
    outcome: str = ""


_BEGINNING = b'{"time":'
"""The start of a consumer's log line; a handler may have printed text before it on the line."""


class ConsumerLogs:
    """Counts by message id: how often a message was processed, was found invalid, or failed.

    `first` and `last` are the times at which the first and the last message was processed, in epoch
    seconds of the consumers' clock.
    """

    def __init__(self, folder: Path) -> None:
        """Read the *.jsonl files of this folder, including files created later."""
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self._decoder = msgspec.json.Decoder(_Line)
        self.processed: Counter[str] = Counter()
        self.invalid: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.first: float | None = None
        self.last: float | None = None

    def read(self) -> None:
        """Read the complete lines that were written since the last call."""
        for path in sorted(self._folder.glob("*.jsonl")):
            with path.open("rb") as stream:
                stream.seek(self._offsets.get(path, 0))
                whole, newline, _ = stream.read().rpartition(b"\n")
            self._offsets[path] = self._offsets.get(path, 0) + len(whole) + len(newline)
            for line in whole.splitlines():
                self._count(line)

    def _count(self, line: bytes) -> None:
        try:
            entry = self._decoder.decode(line[max(0, line.find(_BEGINNING)) :])
        except msgspec.MsgspecError:
            return  # printed by the user's handler
        if entry.event != "message" or entry.time is None:
            return
        match entry.outcome:
            case "processed":
                at = entry.time.timestamp()
                self.first = at if self.first is None else min(self.first, at)
                self.last = at if self.last is None else max(self.last, at)
                self.processed[entry.message_id] += 1
            case "invalid":
                self.invalid[entry.message_id] += 1
            case "failed":
                self.failed[entry.message_id] += 1
