"""Output of handlers that run in threads of the consumer: captured like that of worker processes.

The consumer's own lines go to a copy of standard output that it opened before. So its files 1 and 2
can become pipes, whose lines get a form that nothing is glued to.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from consumer.output.capture import Capture
from consumer.output.lines import NO_ORIGIN, RawLines, encode_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.delivery import Delivery
    from consumer.output.lines import OutputLine
    from consumer.ports import Pool, Sink

READ_BYTES: Final = 1 << 16
LAST_LINES_SECONDS: Final = 1.0
"""Time for the last lines to be read; a program that a handler has left may keep a pipe open."""


class Redirection:
    """Standard output and standard error of this process while handlers run in it."""

    def __init__(self, sink: Sink, level: str, instance_id: str) -> None:
        """Write what handlers print, and what they log from this level on, to the sink."""
        self._sink = sink
        self._level = level
        self._instance_id = instance_id
        self._capture = Capture(self._write)
        self._kept: dict[int, int] = {}
        self._readers: list[threading.Thread] = []

    def start(self) -> None:
        """Replace Python's streams and the files below them."""
        for file, name in ((1, "stdout"), (2, "stderr")):
            self._kept[file] = os.dup(file)
            source, target = os.pipe()
            os.dup2(target, file)
            os.close(target)
            reader = threading.Thread(target=self._read, args=(source, name), daemon=True)
            reader.start()
            self._readers.append(reader)
        self._capture.install(self._level)

    def stop(self) -> None:
        """Put everything back; may be called again."""
        if not self._kept:
            return
        self._capture.restore()
        for file, kept in self._kept.items():
            os.dup2(kept, file)
            os.close(kept)
        self._kept = {}
        for reader in self._readers:
            reader.join(LAST_LINES_SECONDS)

    def _read(self, source: int, name: str) -> None:
        raw = RawLines(name)
        while data := os.read(source, READ_BYTES):
            self._write(raw.feed(data, time.time(), NO_ORIGIN))
        self._write(raw.flush(time.time(), NO_ORIGIN))
        os.close(source)

    def _write(self, lines: list[OutputLine]) -> None:
        with suppress(OSError):  # it ends the consumer at its own next line
            self._sink.write([encode_output(line, self._instance_id) for line in lines])


class RedirectedPool:
    """A pool whose handlers run in this process, with their output captured meanwhile."""

    def __init__(self, pool: Pool, redirection: Redirection) -> None:
        """Leave all but the output to `pool`."""
        self._pool = pool
        self._redirection = redirection

    @property
    def slots(self) -> int:
        """Return how many messages are handled at the same time."""
        return self._pool.slots

    def start(self) -> None:
        """Capture from the import of the handler's module on; raises HandlerError."""
        self._redirection.start()
        try:
            self._pool.start()
        except BaseException:
            self._redirection.stop()
            raise

    def submit(self, deliveries: Sequence[Delivery]) -> None:
        """Let the deliveries be handled."""
        self._pool.submit(deliveries)

    def withdraw(self, keep: int) -> list[Delivery]:
        """Take back what no handler has."""
        return self._pool.withdraw(keep)

    def running(self) -> dict[int, float]:
        """Return the deadline of every delivery that the handler has."""
        return self._pool.running()

    def close(self, seconds: float) -> bool:
        """Let handlers end, then put the streams back."""
        ended = self._pool.close(seconds)
        self._redirection.stop()
        return ended
