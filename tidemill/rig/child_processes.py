"""Child processes of a rig: labels them, ends them, and finds those of a crashed rig."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.clients import without_aws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LABEL = "TIDEMILL_RIG"
"""Environment variable of every process that a rig starts; its value is the rig's folder."""

INHERITED = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PATH",
    "PYTHONPATH",
    "SSL_CERT_FILE",
    "SYSTEMROOT",
    "TMPDIR",
    "VIRTUAL_ENV",
)
"""Variables that children inherit; other variables of the user could change their behaviour."""

GRACE_SECONDS = 5.0
"""Time for processes of a crashed rig to end after SIGTERM, and again after SIGKILL."""


def child_environment(folder: Path, own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child of the rig at `folder`: the label and its own settings.

    Python finds the user's modules in the current folder as well, after those of PYTHONPATH.
    """
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    paths = [*filter(None, inherited.get("PYTHONPATH", "").split(os.pathsep)), str(Path.cwd())]
    inherited["PYTHONPATH"] = os.pathsep.join(paths)
    return {**without_aws(inherited), LABEL: str(folder.resolve()), **own}


def end_children(processes: Sequence[subprocess.Popen[bytes]], seconds: float) -> None:
    """Send SIGTERM to children of this process, and SIGKILL to those that run after `seconds`.

    The function returns when all have ended.
    """
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def with_descendants(pid: int) -> list[psutil.Process]:
    """Return this process and those that it and its children have started; none if it has ended."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def signal_all(pid: int, name: str) -> None:
    """Send a signal to this process and to those that it and its children have started."""
    for process in with_descendants(pid):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.Signals[name])


def limit_file_size(pid: int, *, full: bool) -> None:
    """Let a process and those that it has started write to no file, or to all of them again.

    A write then fails with EFBIG, as it does with ENOSPC on a full disk; pipes still work.

    Raises:
        RigError: this operating system has no such limit for other processes.
    """
    if not hasattr(psutil, "RLIMIT_FSIZE"):
        raise RigError("only Linux can imitate a full disk")
    for process in with_descendants(pid):
        with suppress(psutil.NoSuchProcess):
            _, most = process.rlimit(psutil.RLIMIT_FSIZE)
            process.rlimit(psutil.RLIMIT_FSIZE, (0 if full else most, most))


def end_leftovers(folder: Path) -> int:
    """End every process with the label of the rig at `folder`; return their number.

    The caller must hold the folder's lock, so that none of them belongs to a running rig.
    """
    found = [process for process in psutil.process_iter() if _labelled(process, folder)]
    for process in found:
        _signal(process, kill=False)
    _, alive = psutil.wait_procs(found, timeout=GRACE_SECONDS)
    for process in alive:
        _signal(process, kill=True)
    psutil.wait_procs(alive, timeout=GRACE_SECONDS)
    return len(found)


def _labelled(process: psutil.Process, folder: Path) -> bool:
    try:
        return bool(process.environ().get(LABEL) == str(folder.resolve()))
    except (psutil.Error, OSError):  # it has ended, or belongs to another user
        return False


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        if kill:
            process.kill()
        else:
            process.terminate()
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied:
        sys.stderr.write(f"tidemill: not allowed to end process {process.pid}\n")
