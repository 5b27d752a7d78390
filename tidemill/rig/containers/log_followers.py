"""Log followers: copy the standard output of consumers in containers into files, as it grows."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Protocol

from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LAST_OUTPUT_SECONDS = 10.0
"""Time for an engine under load to return the rest of the output of a container that has ended."""


class ContainerOutput(Protocol):
    """Port that reads the output of a container by the container's name."""

    def follow(self, name: str, *, stdout: bool, stderr: bool) -> Iterator[bytes]:
        """Yield what a container writes, from its first byte on, until it ends."""
        ...


class LogFollowers:
    """One thread for each container whose output is copied."""

    def __init__(self, output: ContainerOutput, folder: Path) -> None:
        """Copy into this folder, a file for each instance."""
        self._output = output
        self._folder = folder
        self._threads: dict[str, Thread] = {}

    def follow(self, name: str, instance: str) -> None:
        """Copy a container's output into the instance's file, unless a thread does so already."""
        thread = self._threads.get(name)
        if thread is not None and thread.is_alive():
            return
        self._threads[name] = Thread(target=self._copy, args=(name, instance), daemon=True)
        self._threads[name].start()

    def finish(self, name: str, instance: str) -> None:
        """Wait until all that an ended container has written is in the instance's file.

        Removing a container deletes its output, so this is called before.
        """
        if name not in self._threads:
            self.follow(name, instance)  # it started and ended between two checks
        self._threads.pop(name).join(LAST_OUTPUT_SECONDS)

    def _copy(self, name: str, instance: str) -> None:
        try:
            chunks = self._output.follow(name, stdout=True, stderr=False)
            first = next(chunks, b"")  # without output, the file is not replaced
            if first:
                self._write(self._folder / f"{instance}.jsonl", first, chunks)
        except RigError:
            return  # the container was removed meanwhile

    @staticmethod
    def _write(path: Path, first: bytes, chunks: Iterator[bytes]) -> None:
        # The engine sends all output from the first byte on, also after a restart and an adoption.
        with path.open("wb") as file:
            file.write(first)
            file.flush()
            for chunk in chunks:
                file.write(chunk)
                file.flush()
