"""Last words of a program that failed: the last line that it wrote, or why there is none."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ROOM = 1 << 16
"""Bytes of a disk with which a program could still write what its error is."""


def last_words(output: Path, silent: str) -> str:
    """Return the last line of a program's output; if it wrote none, `silent` and why.

    Args:
        output: the file with its output.
        silent: a sentence, such as "the rig ended at once".
    """
    lines = output.read_text(errors="replace").strip().splitlines()
    if lines:
        return lines[-1]
    if shutil.disk_usage(output).free < ROOM:
        return f"{silent}: there is no room left on the disk of {output.parent}"
    return f"{silent}, and wrote nothing to {output}"
