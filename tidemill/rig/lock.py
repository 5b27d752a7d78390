"""Lock of a rig's folder: allows one rig at a time, and is free again when the rig has ended."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

NAME = "rig.lock"

LOOK_SECONDS = 0.5
"""Time to try to get the lock: `holder` keeps it for a moment, a rig for longer."""


@contextmanager
def locked(folder: Path, *, noted: bool = True) -> Iterator[None]:
    """Hold the folder's lock inside the block; the folder is created if it is missing.

    Args:
        folder: the rig's folder.
        noted: whether to note in the lock which process holds it. That needs room on the disk.

    Raises:
        RigError: another rig holds the lock, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / NAME).open("a+")
    except OSError as error:
        raise RigError(f"cannot write to {folder}: {error.strerror}") from error
    with handle:
        if not _take(handle):
            raise RigError(
                f"another rig runs in {folder} (process {holder(folder) or 'unknown'}): "
                "end it first"
            )
        if noted:
            _note(handle, folder)
        yield


def _note(handle: IO[str], folder: Path) -> None:
    """Write this process's id to the lock's file, past the buffer that `close` would try again."""
    try:
        handle.truncate(0)
        os.write(handle.fileno(), str(os.getpid()).encode())
    except OSError as error:
        raise RigError(f"cannot write to {folder}: {error.strerror}") from error


def _take(handle: IO[str]) -> bool:
    """Take the lock; return False if another process keeps it."""
    deadline = time.monotonic() + LOOK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.005)
        else:
            return True


def holder(folder: Path) -> int | None:
    """Return the process id of the rig that holds the folder's lock, None if none does."""
    try:
        with (folder / NAME).open("r+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = handle.read().strip()
                return int(text) if text.isdigit() else None
    except OSError:
        return None
    return None
