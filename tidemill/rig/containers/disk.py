"""Disk of a container: the command that takes the room on it away, or gives it back."""

from __future__ import annotations

from typing import Final

SCRIPT: Final = """
import os, resource as r, sys
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) != os.getpid():
        try:
            _, most = r.prlimit(int(name), r.RLIMIT_FSIZE)
            r.prlimit(int(name), r.RLIMIT_FSIZE, (0 if sys.argv[1] == "full" else most, most))
        except (PermissionError, ProcessLookupError):
            pass
"""
"""Sets the largest size of a file that programs may write: a write then fails with EFBIG, as it
does with ENOSPC on a full disk. Output still reaches the engine, because it is a pipe."""


def limit_command(*, full: bool) -> list[str]:
    """Return the command, for a container with Python whose user owns its programs."""
    return ["python3", "-c", SCRIPT, "full" if full else "free"]
