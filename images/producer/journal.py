"""Journal: which lines of a file were acknowledged, so that a later run sends the others only.

An append-only file of JSON lines. The first names the file by size and hash, the queue and the run.
Before a request, its lines are written as `sending`; after the answer as `sent`, or as `not_sent`
if SQS did not take them. What is `sending` and neither of these is indeterminate: SQS may have it.
Lines that were sent again after that, and accepted, are `twice`: SQS may have them two times.
Each entry is given to the operating system at once, so that no end of the process loses it, and is
forced to the disk once a second: a machine that loses its power loses the last second at most.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec

from producer.errors import JournalError, UsageError
from producer.line_set import LineSet, Range, ranges_of
from shared.logs import encode_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from io import FileIO
    from pathlib import Path

VERSION: Final = 1

SYNC_SECONDS: Final = 1.0
"""Seconds between two calls of fsync, each of which may take as long as sending a batch."""

BLOCK: Final = 1_048_576

BEGINNING: Final = b'{"journal":'

NO_JOURNAL: Final = "it is no journal of the producer"


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The journal's first line: what it is about, and the name of the run it began with."""

    journal: int
    run: str
    queue: str
    reading: str
    size: int
    sha256: str


class _Entry(msgspec.Struct):
    """Any later line: ranges of line numbers by what happened to them."""

    sending: list[Range] = []
    sent: list[Range] = []
    not_sent: list[Range] = []
    indeterminate: list[Range] = []
    twice: list[Range] = []


class Journal:
    """The journal of a run; its owner calls it from one thread at a time."""

    def __init__(self, file: FileIO, header: Header, clock: Callable[[], float]) -> None:
        """Append to this file; `clock` returns seconds that never go back."""
        self._file = file
        self._clock = clock
        self._synced = clock()
        self.run = header.run
        self.acknowledged = LineSet()
        self.open: set[int] = set()
        self.twice: set[int] = set()

    def replay(self, lines: Iterable[bytes]) -> None:
        """Take over what earlier runs wrote; a line cut short by the end of a run does not count.

        Raises:
            UsageError: a line is not an entry.
        """
        decoder = msgspec.json.Decoder(_Entry)
        for number, line in enumerate(lines, start=2):
            try:
                entry = decoder.decode(line)
            except msgspec.DecodeError as error:
                raise UsageError(f"the journal is damaged in line {number}: {error}") from error
            for first, last in entry.sending:
                self.open.update(range(first, last + 1))
            for first, last in entry.not_sent:
                self.open.difference_update(range(first, last + 1))
            for first, last in entry.sent:
                self.open.difference_update(range(first, last + 1))
                self.acknowledged.add(first, last)
            for first, last in entry.twice:
                self.twice.update(range(first, last + 1))

    def write(self, kind: str, numbers: Iterable[int]) -> None:
        """Append what happened to these lines.

        Raises:
            JournalError: the journal cannot be written.
        """
        if ranges := [*ranges_of(numbers)]:
            self._append(encode_line({kind: ranges}))

    def close(self) -> None:
        """Force everything to the disk; the run has ended, so that an error changes nothing."""
        with suppress(OSError):
            os.fsync(self._file.fileno())

    def _append(self, line: bytes) -> None:
        try:
            _write_all(self._file, line + b"\n")
            if self._clock() - self._synced >= SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = self._clock()
        except OSError as error:
            raise JournalError(
                f"writing the journal failed: {error.strerror}; what is being sent is named in it "
                "as not yet answered"
            ) from error


@contextmanager
def opened_journal(path: Path, expected: Header, clock: Callable[[], float]) -> Iterator[Journal]:
    """Open a journal, or begin one; it is locked until the end of the block.

    Raises:
        UsageError: it cannot be opened, another run uses it, or it is about something else.
    """
    try:
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise UsageError(f"--resume {path}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"--resume {path}: another producer uses this journal") from error
        try:
            journal = _begun(file, expected, clock)
        except UsageError as error:
            raise UsageError(f"--resume {path}: {error}") from error
        except OSError as error:
            raise UsageError(f"--resume {path}: {error.strerror}") from error
        try:
            yield journal
        finally:
            journal.close()


def _begun(file: FileIO, expected: Header, clock: Callable[[], float]) -> Journal:
    file.seek(0)
    whole, _, torn = file.read().rpartition(b"\n")
    if not whole:
        if not (torn.startswith(BEGINNING) or BEGINNING.startswith(torn)):
            raise UsageError(NO_JOURNAL)
        file.truncate(0)
        journal = Journal(file, expected, clock)
        _write_all(file, msgspec.json.encode(expected) + b"\n")
        os.fsync(file.fileno())
        return journal
    first, *entries = whole.split(b"\n")
    try:
        header = msgspec.json.decode(first, type=Header)
    except msgspec.DecodeError as error:
        raise UsageError(NO_JOURNAL) from error
    if wrong := _difference(header, expected):
        raise UsageError(f"{wrong}: give the journal that belongs to it, or a new one")
    if torn:  # a run was killed while it wrote this line: what it was about stays as it was before
        file.truncate(len(whole) + 1)
    journal = Journal(file, header, clock)
    journal.replay(entries)
    return journal


def _difference(found: Header, expected: Header) -> str | None:
    """Return in words what the journal is about if this is not it."""
    if found.journal != expected.journal:
        return f"it is of version {found.journal}"
    if found.queue != expected.queue:
        return f"it is about the queue {found.queue}"
    if (found.size, found.sha256) != (expected.size, expected.sha256):
        return f"it is about another file, or this one has changed ({found.size} bytes then)"
    if found.reading != expected.reading:
        return f"the file was read with other options then ({found.reading})"
    return None


def header_of(file: FileIO, run: str, queue: str, reading: str) -> Header:
    """Return the header for a file that is open at its beginning, where it is left again.

    Args:
        file: the input.
        run: the name of this run, if it is the first.
        queue: the queue's URL.
        reading: the options on which the numbers of lines depend.
    """
    digest, size = hashlib.sha256(), 0
    while block := file.read(BLOCK):
        digest.update(block)
        size += len(block)
    file.seek(0)
    return Header(VERSION, run, queue, reading, size, digest.hexdigest())


def _write_all(file: FileIO, data: bytes) -> None:
    view: Any = memoryview(data)
    while view:
        view = view[file.write(view) :]
