"""Capture: the streams and the log handler through which handlers' lines leave their process.

They replace standard output, standard error and the root logger's handlers. The id of a line is
that of consumer.handlers.api.current_message, so that threads and tasks do not mix.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from consumer.handlers.api import handled
from consumer.messages.trace import trace_id
from consumer.output.lines import LONGEST, NO_ORIGIN, Origin, OutputLine, split
from consumer.output.records import RecordHandler
from shared.logs import without_surrogates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumer.pool.frames import Row


class Capture:
    """The capture of one process; `sole` is the message that is handled, if it is the only one.

    Its id stands in where a handler's own thread prints, for which no message is the current one.
    """

    def __init__(self, emit: Callable[[list[OutputLine]], None]) -> None:
        """Pass every line on to this function, which has to be safe in any thread."""
        self.emit = emit
        self.sole: Row | None = None
        self.begun = False  # a line was begun at some time
        self._streams = (CapturedStream(self, "stdout", 1), CapturedStream(self, "stderr", 2))
        self._before: tuple[Any, Any] = (sys.stdout, sys.stderr)
        self._settled: tuple[Any, Any] = self._before
        self._files: dict[int, int] = {}
        self._lock = threading.Lock()
        self._calls = 0
        self._handlers: list[logging.Handler] = []

    def install(self, level: str) -> None:
        """Replace the streams and the root logger's handlers; log from this level on."""
        self._before = (sys.stdout, sys.stderr)
        sys.stdout, sys.stderr = self._settled = self._streams
        root = logging.getLogger()
        self._handlers, root.handlers = root.handlers, [RecordHandler(self)]
        root.setLevel(level)
        logging.captureWarnings(capture=True)
        os.register_at_fork(after_in_child=self._forked)

    def restore(self) -> None:
        """Put streams and handlers back."""
        self.flush()
        sys.stdout, sys.stderr = self._before
        logging.getLogger().handlers = self._handlers
        for kept in self._files.values():
            os.close(kept)
        self._files = {}

    def settle(self) -> None:
        """Keep what `sys.stdout` is now, wrapped by the handler's module perhaps, as right."""
        self._settled = (sys.stdout, sys.stderr)
        for file in (1, 2):
            with suppress(OSError):  # the module has closed it
                self._files[file] = os.dup(file)

    def repair(self) -> None:
        """Undo what a handler did to `sys.stdout` and `sys.stderr`."""
        sys.stdout, sys.stderr = self._settled

    def repair_files(self) -> None:
        """Undo what a handler did to the files 1 and 2, and what was repaired for a batch."""
        self.repair()
        for file, kept in self._files.items():
            with suppress(OSError):  # a handler has closed all files
                os.dup2(kept, file)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Call a handler beside others, and repair the streams when no other one is running."""
        with self._lock:
            self._calls += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1
                if not self._calls:
                    self.repair_files()

    def current(self) -> Origin:
        """Return the message that the caller works on."""
        messages = handled.get()
        if len(messages) == 1:
            [message] = messages
            return Origin(message.id, trace_id(message.attributes, message.system_attributes))
        if self.sole is None:
            return NO_ORIGIN
        message_id, *_, attributes, system = self.sole
        return Origin(message_id, trace_id(attributes, system))

    def end_message(self, message_id: str) -> None:
        """Write the lines that the message's handler has begun and not ended."""
        for stream in self._streams:
            stream.end_line(message_id)

    def flush(self) -> None:
        """Write every line that has been begun."""
        for stream in self._streams:
            stream.end_lines()

    def _forked(self) -> None:
        """Write to the file descriptors in a process that a handler has forked.

        Two processes must not write frames to one pipe, and the lock may be held by a thread that
        does not exist here.
        """
        for stream in self._streams:
            stream.lock = threading.RLock()
        self._lock = threading.Lock()
        self.emit = _write_plainly


def _write_plainly(lines: list[OutputLine]) -> None:
    for line in lines:
        text = "\n".join(part for part in (line.text, line.error) if part)
        os.write(2 if line.stream == "stderr" else 1, f"{text}\n".encode(errors="replace"))


class CapturedStream(io.TextIOBase):
    """Standard output or standard error as text: cuts what is written into lines.

    Closing it does nothing, since it belongs to all handlers.
    """

    def __init__(self, capture: Capture, name: str, file: int) -> None:
        """Stand for the stream with this name and file descriptor."""
        super().__init__()
        self.lock = threading.RLock()
        self.buffer = _Bytes(self)
        self._capture = capture
        self._name = name
        self._file = file
        self._begun: dict[Origin, str] = {}

    encoding = "utf-8"
    errors = "replace"
    line_buffering = True

    @property
    def name(self) -> str:
        """Return what Python calls the stream."""
        return f"<{self._name}>"

    @property
    def mode(self) -> str:
        """Return how the stream is open."""
        return "w"

    def write(self, text: str, /) -> int:
        """Write complete lines and keep the rest."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        origin = self._capture.current()
        with self.lock:
            # str.__str__, because a class of texts may define how they are added to others
            *lines, rest = (self._begun.pop(origin, "") + str.__str__(text)).split("\n")
            if len(rest) >= LONGEST:
                lines, rest = [*lines, rest], ""
            if rest:
                self._begun[origin] = rest
                self._capture.begun = True
        self._emit(origin, lines)
        return len(text)

    def end_line(self, message_id: str | None) -> None:
        """Write the line that this message has begun."""
        for origin in list(self._begun):
            if origin.message_id == message_id:
                self._end(origin)

    def end_lines(self) -> None:
        """Write the lines that have been begun."""
        for origin in list(self._begun):
            self._end(origin)

    def _end(self, origin: Origin) -> None:
        with self.lock:
            rest = self._begun.pop(origin, None)
        self._emit(origin, [rest] if rest else [])

    def _emit(self, origin: Origin, texts: list[str]) -> None:
        now = time.time()
        lines = [
            part
            for text in texts
            if text
            for part in split(
                OutputLine(now, "INFO", without_surrogates(text), *origin, stream=self._name)
            )
        ]
        if lines:
            self._capture.emit(lines)

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the file descriptor, for child processes of a handler."""
        return self._file

    def isatty(self) -> bool:
        """Return False."""
        return False

    def reconfigure(self, **_options: object) -> None:
        """Do nothing: lines are written as they end."""

    def close(self) -> None:
        """Do nothing."""


class _Bytes(io.RawIOBase):
    """The binary side of a captured stream."""

    def __init__(self, stream: CapturedStream) -> None:
        super().__init__()
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - anything with bytes in it
        content = bytes(data)
        self._stream.write(content.decode(errors="replace"))
        return len(content)

    def fileno(self) -> int:
        return self._stream.fileno()

    def close(self) -> None:
        """Do nothing."""
