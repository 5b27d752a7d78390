"""The processes of a rig."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from tidemill.rig.child_processes import LABEL

if TYPE_CHECKING:
    from pathlib import Path


def labelled(folder: Path) -> list[psutil.Process]:
    """Return the running processes that a rig in this folder started."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(LABEL) == str(folder.resolve()):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found
