"""Line reader: lines of a file or a pipe, and the pauses of a writer that is slow."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Thread
from typing import TYPE_CHECKING, Final

from producer.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from io import FileIO

    from shared.stopping import Stop

STDIN: Final = "-"

CHUNK: Final = 65_536
"""Bytes of one read: the size of a Linux pipe."""

AHEAD: Final = 4
"""Chunks of a pipe that are read ahead, at most."""

PAUSE: Final = 0.1
"""Seconds without input after which a batch is sent as it is."""


@contextmanager
def opened(path: str) -> Iterator[FileIO]:
    """Open a file, or stdin for '-', for reading without a buffer.

    A buffer has a lock. If a thread were blocked in a read when the program ends, Python would
    wait for that lock.

    Raises:
        UsageError: it cannot be opened.
    """
    target = 0 if path == STDIN else path
    try:
        file = open(target, "rb", buffering=0, closefd=path != STDIN)  # noqa: SIM115 - below
    except OSError as error:
        raise UsageError(f"cannot read {name_of(path)}: {error.strerror}") from error
    with file:
        yield file


def chunks(file: FileIO, path: str, stop: Stop) -> Iterator[bytes | None]:
    """Yield the file's bytes in chunks, and None whenever a pipe has been empty for PAUSE.

    Ends early when a stop is requested while a pipe is empty.

    Raises:
        InputError: reading failed.
    """
    try:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            yield from iter(lambda: file.read(CHUNK), b"")
        else:
            yield from _from_pipe(file, stop)
    except OSError as error:
        raise InputError(f"reading {name_of(path)} failed: {error.strerror}") from error


def split_lines(
    pieces: Iterable[bytes | None], limit: int
) -> Iterator[tuple[int, bytes | None] | None]:
    """Yield (line number, line without its end), and None wherever the input pauses.

    A line of more than `limit` bytes becomes (number, None), and is never held in memory.
    """
    number, rest, too_long = 0, b"", False
    for piece in pieces:
        if piece is None:
            yield None
            continue
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            number += 1
            yield number, None if too_long or len(line) > limit else line
            too_long = False
        if too_long or len(rest) > limit:
            rest, too_long = b"", True
    if rest or too_long:
        yield number + 1, None if too_long else rest


def _from_pipe(file: FileIO, stop: Stop) -> Iterator[bytes | None]:
    chunks_read: Queue[bytes | OSError] = Queue(AHEAD)
    # A daemon, since nothing can wake a thread that is blocked in a read.
    Thread(target=_read_into, args=(file, chunks_read), name="input", daemon=True).start()
    while not stop.requested():
        try:
            piece = chunks_read.get(timeout=PAUSE)
        except Empty:
            yield None
            continue
        if isinstance(piece, OSError):
            raise piece
        if not piece:
            return
        yield piece


def _read_into(file: FileIO, chunks_read: Queue[bytes | OSError]) -> None:
    try:
        for piece in iter(lambda: file.read(CHUNK), b""):
            chunks_read.put(piece)
        chunks_read.put(b"")
    except OSError as error:
        chunks_read.put(error)


def name_of(path: str) -> str:
    """Return the input's name for people."""
    return "standard input" if path == STDIN else path
