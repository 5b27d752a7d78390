"""Consumers' logs: counts how the attempts at each message ended, while the logs grow."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime  # noqa: TC003 - msgspec looks it up
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from pathlib import Path


class _Line(msgspec.Struct):
    """The fields of a consumer's log line that are needed here; most lines have only a few."""

    event: str = ""
    time: datetime | None = None
    message_id: str = ""
    outcome: str = ""
    reason: str | None = None
    returned: int = 0


GOOD: Final = frozenset({"processed", "duplicate"})
"""Outcomes after which nothing is left to do; of the others, a dead letter's last is its reason."""

_BEGINNING = b'{"time":'
"""The start of a consumer's log line; a handler may have printed text before it on the line."""


class ConsumerLogs:
    """Counts by outcome and message id how often an attempt at the message ended in this way.

    Attributes:
        outcomes: for each outcome, such as "processed", the number of attempts by message id.
        last_words: by message id, outcome and reason of the last attempt that did not succeed.
        returned: how often messages were returned that no handler had got.
        first: when the first message was processed, in epoch seconds of the consumers' clock.
        last: when the last one was.
    """

    def __init__(self, folder: Path) -> None:
        """Read the *.jsonl files of this folder, including files created later."""
        self._folder = folder
        self._offsets: dict[Path, int] = {}
        self._decoder = msgspec.json.Decoder(_Line)
        self.outcomes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.last_words: dict[str, str] = {}
        self.returned = 0
        self.first: float | None = None
        self.last: float | None = None

    @property
    def processed(self) -> Counter[str]:
        """Return how often each message was processed."""
        return self.outcomes["processed"]

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
        if entry.event == "cycle":
            self.returned += entry.returned
        if entry.event != "message" or entry.time is None:
            return
        self.outcomes[entry.outcome][entry.message_id] += 1
        if entry.outcome == "processed":
            at = entry.time.timestamp()
            self.first = at if self.first is None else min(self.first, at)
            self.last = at if self.last is None else max(self.last, at)
        elif entry.outcome not in GOOD:
            self.last_words[entry.message_id] = f"{entry.outcome}: {entry.reason or 'no reason'}"
