"""A program in a child process whose lines a test can wait for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PATIENCE: Final = 60.0
"""Seconds after which waiting for a line or an end fails; a passing test needs far fewer."""


class Program:
    """A running `python -m something`: its JSON lines so far, its exit code, its error output."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Read both streams in the background."""
        self._process = process
        self._changed = threading.Condition()
        self._lines: list[dict[str, Any]] = []
        self._errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(process.stdout, self._keep_line)),
            threading.Thread(target=self._read, args=(process.stderr, self._errors.append)),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def errors(self) -> list[str]:
        """Return the lines of standard error."""
        return [line.rstrip("\n") for line in self._errors]

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Return all lines so far."""
        with self._changed:
            return [*self._lines]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of one event so far."""
        with self._changed:
            return [line for line in self._lines if line["event"] == name]

    def wait_for(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until there are this many lines of the event, and return them."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._count(name) >= count, PATIENCE):
                raise AssertionError(f"no {count} lines of {name!r} in {self._lines}")
        return self.events(name)

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def press_control_c(self) -> None:
        """Send SIGINT to all of its process group, as a terminal does."""
        os.killpg(self._process.pid, signal.SIGINT)

    @property
    def pid(self) -> int:
        """Return the program's process id."""
        return self._process.pid

    def wait(self) -> int:
        """Wait for the end; return the exit code when all output is read."""
        code = self._process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def stop(self) -> int:
        """Send SIGTERM and wait for the end."""
        self.signal()
        return self.wait()

    def _count(self, name: str) -> int:
        return sum(line["event"] == name for line in self._lines)

    def _keep_line(self, line: str) -> None:
        with self._changed:
            self._lines.append(json.loads(line))
            self._changed.notify_all()

    @staticmethod
    def _read(stream: IO[str], keep: Callable[[str], None]) -> None:
        with stream:
            for line in stream:
                keep(line)


@contextmanager
def running(module: str, environment: Mapping[str, str], directory: Path) -> Iterator[Program]:
    """Start `python -m module` in the directory, provide it, and kill what is left of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        env=environment,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group of its own, as a terminal gives every command
    )
    program = Program(process)
    try:
        yield program
    finally:
        process.kill()
        program.wait()
