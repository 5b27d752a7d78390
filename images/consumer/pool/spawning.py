"""Worker processes as the operating system sees them: how one is started, and how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from consumer.pool.page import Page, create_file

KIB: Final = 1024
_MAXRSS_UNIT: Final = 1 if sys.platform == "darwin" else KIB  # getrusage(2): bytes only there


@dataclass(frozen=True, slots=True)
class Death:
    """How a process ended: with a code, or by a signal; `memory` is its peak in bytes."""

    exit_code: int | None
    signal_name: str | None
    memory: int

    def __str__(self) -> str:
        """Return it for a log line's reason."""
        how = (
            f"was killed by {self.signal_name}"
            if self.signal_name
            else f"ended with exit code {self.exit_code}"
        )
        return f"{how}, peak memory {self.memory / KIB / KIB:.0f} MiB"


@dataclass(frozen=True, slots=True)
class Spawned:
    """A process that was started, its page, and this side of its pipes.

    Attributes:
        pid: its id, and that of its process group.
        page: where it notes starts and ends.
        orders: pipe for frames to it.
        reports: pipe for frames from it.
        outputs: its standard output and standard error.
        stacks: what Python writes at a crash, or when it is asked for the stacks of all threads.
    """

    pid: int
    popen: subprocess.Popen[bytes]
    page: Page
    orders: int
    reports: int
    outputs: tuple[int, int]
    stacks: int

    @property
    def readable(self) -> tuple[int, ...]:
        """Return the pipes that the consumer reads."""
        return (self.reports, *self.outputs, self.stacks)

    def kill(self) -> None:
        """Kill the process and what it has started in its group, at once.

        It is no zombie that somebody else has reaped, so no other process can have its id.
        """
        for kill in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)

    def reap(self) -> Death | None:
        """Return how the process ended, None while it lives; kill the rest of its group."""
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        self.kill()  # while the zombie still holds its id
        _, status, usage = os.wait4(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        self.popen.returncode = code
        return Death(
            exit_code=code if code >= 0 else None,
            signal_name=_signal_name(-code) if code < 0 else None,
            memory=usage.ru_maxrss * _MAXRSS_UNIT,
        )

    def close(self) -> None:
        """Close the pipes and release the page, once the process is dead."""
        for file in (self.orders, *self.readable):
            os.close(file)
        self.page.close()


def spawn() -> Spawned:
    """Start a worker process in a session of its own; it waits for its first frame.

    No signal of a terminal reaches it there. Its standard input is empty, and its two outputs are
    pipes, so that nothing that a handler writes mixes with the consumer's own lines.

    Raises:
        OSError: no process can be started now.
    """
    opened: list[int] = []
    try:
        for _ in range(5):
            opened += os.pipe()
        file = create_file()
        opened.append(file)
        to_child, stdout, stderr, reports, stacks = (opened[n : n + 2] for n in range(0, 10, 2))
        theirs = (to_child[0], reports[1], stacks[1], file)
        popen = subprocess.Popen(
            [sys.executable, "-m", "consumer.pool.child", *map(str, theirs)],
            stdin=subprocess.DEVNULL,
            stdout=stdout[1],
            stderr=stderr[1],
            pass_fds=theirs,
            start_new_session=True,
        )
        page = Page(file)
    except OSError:
        for one in opened:
            os.close(one)
        raise
    for one in (*theirs, stdout[1], stderr[1]):
        os.close(one)
    spawned = Spawned(
        popen.pid, popen, page, to_child[1], reports[0], (stdout[0], stderr[0]), stacks[0]
    )
    for one in (spawned.orders, *spawned.readable):
        os.set_blocking(one, False)
    return spawned


class OrphanReaper:
    """Reaps processes whose parents have died, where the consumer is the one that adopts them.

    That is the case in a container, whose first process it is. A process that ended is left alone
    for one turn, since a library of the consumer may have started it and wait for it.
    """

    def __init__(self) -> None:
        """Find out whether there is anything to do."""
        self._adopts = os.getpid() == 1
        self._seen: int | None = None

    def turn(self, workers: set[int]) -> None:
        """Reap those that were seen before; `workers` are left to `Spawned.reap`."""
        while self._adopts:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None or found.si_pid in workers:
                return
            if found.si_pid != self._seen:
                self._seen = found.si_pid
                return
            with suppress(ChildProcessError):
                os.waitpid(found.si_pid, 0)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
