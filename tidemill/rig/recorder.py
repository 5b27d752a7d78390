"""Writes every fact of a run to timeline.jsonl, as it happens, and keeps them for the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tidemill.scaling.facts import Fact, to_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tidemill.scaling.loop import Turn


class Recorder:
    """Listens to turns; `facts` are all facts so far, `tell` hears each of them too."""

    def __init__(
        self, path: Path, tell: Callable[[Fact], None], *, keep: bool, resume: bool = False
    ) -> None:
        """Write to this new file, or with `resume` go on with it.

        Without `keep`, for rigs that stay up, forget what is written.
        """
        self._stream = path.open("ab" if resume else "wb")
        self._encoder = msgspec.json.Encoder()
        self._tell = tell
        self._keep = keep
        self.facts: list[Fact] = []

    def hear(self, turn: Turn) -> None:
        """Record what came of a turn."""
        for fact in turn.facts:
            self.note(fact)

    def note(self, fact: Fact) -> None:
        """Record one fact."""
        self._stream.write(self._encoder.encode(to_record(fact)) + b"\n")
        self._stream.flush()
        if self._keep:
            self.facts.append(fact)
        self._tell(fact)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
