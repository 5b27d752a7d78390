"""Journal of a redrive: which letters were sent, so that a later run does not send them again.

An append-only file of JSON lines. The first names both queues. Before a request its letters are
written as `sending`, after the answer as `sent` with their new ids, or as `not_sent`. What is
`sending` and neither of these may be in the target or not: nobody can ask SQS. It is sent again,
since a lost message is worse than a second one. A letter that is `sent` is only deleted. `twice`
are those of them of which the target may have two copies. `done` ends a run that has left nothing.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import msgspec

from tidemill.dead_letters.errors import DeadLetterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from io import FileIO
    from pathlib import Path

VERSION: Final = 1
BEGINNING: Final = b'{"redrive":'


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line: the format's version, the dead-letter queue, and where letters are sent."""

    redrive: int
    queue: str
    target: str


class _Entry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Any later line; `at` is the epoch second of `sending`."""

    sending: list[str] = []
    at: float = 0.0
    sent: dict[str, str] = {}
    twice: list[str] = []
    not_sent: list[str] = []
    done: bool = False


class Journal:
    """What happened to each letter.

    Attributes:
        sent: by id, the new id of each letter that SQS has accepted.
        open: by id, the first moment at which a letter was sent without an answer since.
        twice: ids of letters that were sent again after a request without an answer.
        arrived: new ids of the run, or of the one that it resumes: letters that came back.
    """

    def __init__(self, file: FileIO) -> None:
        """Append to this file."""
        self._file = file
        self.sent: dict[str, str] = {}
        self.open: dict[str, float] = {}
        self.twice: set[str] = set()
        self.arrived: set[str] = set()

    def replay(self, lines: Iterable[bytes]) -> None:
        """Take over what earlier runs wrote.

        Raises:
            DeadLetterError: a line is not an entry.
        """
        for number, line in enumerate(lines, start=2):
            try:
                self._take(msgspec.json.decode(line, type=_Entry))
            except msgspec.DecodeError as error:
                raise DeadLetterError(f"it is damaged in line {number}: {error}") from error

    def sending(self, ids: Iterable[str], now: float) -> None:
        """Note that these letters are about to be sent.

        Raises:
            DeadLetterError: the journal cannot be written, so they must not be sent.
        """
        self._append(_Entry(sending=list(ids), at=now))

    def was_sent(self, new_ids: Mapping[str, str], twice: Sequence[str] = ()) -> None:
        """Note the new id of each letter that SQS has accepted; some of them perhaps twice."""
        if new_ids:
            self._append(_Entry(sent=dict(new_ids), twice=list(twice)))

    def was_not_sent(self, ids: Iterable[str]) -> None:
        """Note letters that SQS has not taken."""
        if left := [name for name in ids if name in self.open]:
            self._append(_Entry(not_sent=left))

    def finish(self) -> None:
        """Note the end of a run that has done all it was asked for."""
        self._append(_Entry(done=True))

    def close(self) -> None:
        """Force everything to the disk."""
        with suppress(OSError):
            os.fsync(self._file.fileno())

    def _append(self, entry: _Entry) -> None:
        # What is known must not depend on whether it could be written.
        self._take(entry)
        try:
            view = memoryview(msgspec.json.encode(entry) + b"\n")
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise DeadLetterError(
                f"cannot write the journal: {error.strerror}; no letter is lost, but a later run "
                "may send again what this one has sent"
            ) from error

    def _take(self, entry: _Entry) -> None:
        for name in entry.sending:
            self.open.setdefault(name, entry.at)
        for name in (*entry.not_sent, *entry.sent):
            self.open.pop(name, None)
        self.sent |= entry.sent
        self.twice |= set(entry.twice)
        self.arrived |= set(entry.sent.values())
        if entry.done:
            self.twice.clear()
            self.arrived.clear()


@contextmanager
def opened_journal(path: Path, queue: str, target: str) -> Iterator[Journal]:
    """Open a journal, or begin one; it is locked until the end of the block.

    Raises:
        DeadLetterError: it cannot be opened, is in use, is damaged, or is about other queues.
    """
    header = Header(VERSION, queue, target)
    try:
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise DeadLetterError(f"journal {path}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            journal = _begun(file, header)
        except BlockingIOError as error:
            raise DeadLetterError(f"journal {path}: another run uses it") from error
        except OSError as error:
            raise DeadLetterError(f"journal {path}: {error.strerror}") from error
        except DeadLetterError as error:
            raise DeadLetterError(f"journal {path}: {error}") from error
        try:
            yield journal
        finally:
            journal.close()


def _begun(file: FileIO, expected: Header) -> Journal:
    """Return the journal of a file with all that it has; a last line without its end is cut off."""
    file.seek(0)
    whole, _, torn = file.read().rpartition(b"\n")
    journal = Journal(file)
    if not whole:
        if not (torn.startswith(BEGINNING) or BEGINNING.startswith(torn)):
            raise DeadLetterError("it is no journal of a redrive")
        file.truncate(0)
        file.write(msgspec.json.encode(expected) + b"\n")
        return journal
    first, *entries = whole.split(b"\n")
    try:
        found = msgspec.json.decode(first, type=Header)
    except msgspec.DecodeError as error:
        raise DeadLetterError("it is no journal of a redrive") from error
    if found != expected:
        raise DeadLetterError(
            f"it is about letters from {found.queue} to {found.target}: name another file with "
            "--journal"
        )
    if torn:
        file.truncate(len(whole) + 1)
    journal.replay(entries)
    return journal
