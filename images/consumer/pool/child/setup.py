"""What a worker process arranges before any code of the user runs in it."""

from __future__ import annotations

import ctypes
import faulthandler
import fcntl
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

HIGH: Final = 200
"""First file descriptor for the pipes: a handler that closes or reuses low ones misses them."""
OOM_SCORE: Final = 300
"""Raises the process above the consumer when the kernel, short of memory, looks for a victim."""
MOST_OOM_SCORE: Final = 1000  # proc_pid_oom_score_adj(5)
PR_SET_PDEATHSIG: Final = 1  # prctl(2)
LINE_BUFFERED: Final = 1  # _IOLBF of setvbuf(3) on Linux

PARENT_GONE: Final = 70
"""Exit code of a process that has lost its consumer, or the pipes to it."""


def raise_descriptor(file: int) -> int:
    """Move an open file out of the way of handlers, and hide it from programs that they start."""
    try:
        moved = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, HIGH)
    except OSError:  # the limit of open files is lower
        os.set_inheritable(file, False)  # noqa: FBT003 - its only form
        return file
    os.close(file)
    return moved


def reset_signals() -> None:
    """Handle every signal as a program does that was just started."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def die_with(parent: int) -> None:
    """End this process when its parent ends, even if a handler never returns to Python's loop."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:  # it ended before
        os._exit(PARENT_GONE)


def offer_to_oom_killer() -> None:
    """Make the kernel kill this process before the consumer when memory runs out."""
    with suppress(OSError, ValueError):
        path = Path("/proc/self/oom_score_adj")
        score = int(path.read_text(encoding="ascii"))
        path.write_text(str(min(MOST_OOM_SCORE, score + OOM_SCORE)), encoding="ascii")


def write_stacks_to(file: int) -> None:
    """Write Python's stacks to this file at a crash, and whenever SIGUSR1 asks for them."""
    faulthandler.enable(file)
    faulthandler.register(signal.SIGUSR1, file=file)


def end_lines_of_c() -> None:
    """Let the C library write its standard output line by line, not every four kilobytes."""
    with suppress(OSError, AttributeError, ValueError):
        library = ctypes.CDLL(None)
        stdout = ctypes.c_void_p.in_dll(library, "stdout")
        library.setvbuf(stdout, None, LINE_BUFFERED, 0)
