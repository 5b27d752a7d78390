"""Recorder: writes every fact of a run to timeline.jsonl as it happens, and keeps it in memory."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from tidemill.rig.errors import RigError
from tidemill.scaling.facts import Fact, to_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tidemill.scaling.loop import Turn


class Recorder:
    """A recorder of turns; `facts` are all facts so far."""

    def __init__(
        self, path: Path, on_fact: Callable[[Fact], None], *, keep: bool, resume: bool = False
    ) -> None:
        """Open the file.

        Args:
            path: the file.
            on_fact: called with every fact after it is written.
            keep: whether to keep the facts in memory; false for a rig that stays up.
            resume: whether to append to the file instead of replacing it.
        """
        self._path = path
        self._stream = path.open("ab" if resume else "wb")
        self._encoder = msgspec.json.Encoder()
        self._on_fact = on_fact
        self._keep = keep
        self.facts: list[Fact] = []

    def on_turn(self, turn: Turn) -> None:
        """Record the facts of a turn."""
        for fact in turn.facts:
            self.note(fact)

    def note(self, fact: Fact) -> None:
        """Record one fact.

        Raises:
            RigError: the file cannot be written, such as on a full disk.
        """
        try:
            self._stream.write(self._encoder.encode(to_record(fact)) + b"\n")
            self._stream.flush()
        except OSError as error:
            raise RigError(f"cannot write {self._path}: {error.strerror}") from error
        if self._keep:
            self.facts.append(fact)
        self._on_fact(fact)

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):  # `note` has raised it already
            self._stream.close()
