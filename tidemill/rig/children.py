"""Ending the processes that a rig has started: first asked, then forced."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def end_children(processes: Sequence[subprocess.Popen[bytes]], seconds: float) -> None:
    """End the processes and wait for them; all together have these seconds to end by themselves."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
