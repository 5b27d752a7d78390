"""One rig a folder: a lock that the operating system lets go when its holder dies."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "rig.lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock inside the block; the folder is made if need be.

    Raises:
        RigError: another living rig holds it, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / NAME).open("a+")
    except OSError as error:
        raise RigError(f"cannot write to {folder}: {error.strerror}") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RigError(
                f"another rig runs in {folder} (process {holder(folder) or 'unknown'}): "
                "end it first"
            ) from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def holder(folder: Path) -> int | None:
    """Return the process id of the living rig that holds the folder's lock, if any."""
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
