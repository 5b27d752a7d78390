"""Lines of a file or a pipe, read piece by piece, with pauses of a slow writer made visible."""

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
"""Bytes in a read: what a Linux pipe holds."""

AHEAD: Final = 4
"""Chunks of a pipe read ahead of their use, at most."""

PAUSE: Final = 0.1
"""Seconds without input after which what is there should be sent rather than wait for more."""


@contextmanager
def opened(path: str) -> Iterator[FileIO]:
    """Open a file, or stdin for '-', for reading without a buffer.

    No buffer, since a thread may be blocked in reading when the program ends, and Python would
    then wait for the buffer's lock.

    Raises:
        UsageError: it cannot be opened.
    """
    target = 0 if path == STDIN else path
    try:
        file = open(target, "rb", buffering=0, closefd=path != STDIN)  # noqa: SIM115 - below
    except OSError as error:
        raise UsageError(f"cannot read {_named(path)}: {error.strerror}") from error
    with file:
        yield file


def chunks(file: FileIO, path: str, stop: Stop) -> Iterator[bytes | None]:
    """Yield what the file holds in pieces, and None when a pipe has had nothing for a while.

    Ends early when stopping is asked for while a pipe says nothing.

    Raises:
        InputError: reading failed.
    """
    try:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            yield from iter(lambda: file.read(CHUNK), b"")
        else:
            yield from _from_pipe(file, stop)
    except OSError as error:
        raise InputError(f"reading {_named(path)} failed: {error.strerror}") from error


def split_lines(
    pieces: Iterable[bytes | None], limit: int
) -> Iterator[tuple[int, bytes | None] | None]:
    """Yield (line number, line without its end), and None wherever the input pauses.

    A line of more than `limit` bytes comes as (number, None), and is never held in memory.
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
    arrived: Queue[bytes | OSError] = Queue(AHEAD)
    # A daemon, since nothing can wake a thread that is blocked in reading.
    Thread(target=_pump, args=(file, arrived), name="input", daemon=True).start()
    while not stop.requested():
        try:
            piece = arrived.get(timeout=PAUSE)
        except Empty:
            yield None
            continue
        if isinstance(piece, OSError):
            raise piece
        if not piece:
            return
        yield piece


def _pump(file: FileIO, arrived: Queue[bytes | OSError]) -> None:
    try:
        for piece in iter(lambda: file.read(CHUNK), b""):
            arrived.put(piece)
        arrived.put(b"")
    except OSError as error:
        arrived.put(error)


def _named(path: str) -> str:
    return "standard input" if path == STDIN else path
