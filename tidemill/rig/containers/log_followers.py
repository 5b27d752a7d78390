"""Copies what consumers in containers write to standard output into files, as it comes."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Protocol

from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LAST_WORDS_SECONDS = 10.0
"""An engine under load takes its time to hand out what an ended container has written."""


class Output(Protocol):
    """Has the output of containers."""

    def follow(self, name: str, *, stdout: bool, stderr: bool) -> Iterator[bytes]:
        """Yield what a container writes, from its first word on, until it ends."""
        ...


class Followers:
    """One thread for each container whose output is copied."""

    def __init__(self, output: Output, folder: Path) -> None:
        """Copy into this folder, a file for each instance."""
        self._output = output
        self._folder = folder
        self._threads: dict[str, Thread] = {}

    def follow(self, name: str, instance: str) -> None:
        """Copy a container's output into the instance's file, unless that goes on already."""
        going_on = self._threads.get(name)
        if going_on is not None and going_on.is_alive():
            return
        self._threads[name] = Thread(target=self._copy, args=(name, instance), daemon=True)
        self._threads[name].start()

    def finish(self, name: str, instance: str) -> None:
        """Return when all that an ended container has written is in the instance's file.

        Its output goes with it when it is removed, so this comes before.
        """
        if name not in self._threads:
            self.follow(name, instance)  # it came and went unseen
        self._threads.pop(name).join(LAST_WORDS_SECONDS)

    def _copy(self, name: str, instance: str) -> None:
        try:
            chunks = self._output.follow(name, stdout=True, stderr=False)
            first = next(chunks, b"")  # without any, the file keeps what was written before
            if first:
                self._write(self._folder / f"{instance}.jsonl", first, chunks)
        except RigError:
            return  # it was removed in the middle of a word

    @staticmethod
    def _write(path: Path, first: bytes, chunks: Iterator[bytes]) -> None:
        # A container that was started again, or adopted, tells everything from its first word on.
        with path.open("wb") as file:
            file.write(first)
            file.flush()
            for chunk in chunks:
                file.write(chunk)
                file.flush()
