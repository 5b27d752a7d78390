"""Seats: places for worker processes, and when a process that ended is replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from consumer.pool.worker_process import WorkerProcess

LONGEST_PAUSE: Final = 30.0
LASTING: Final = 60.0
"""Seconds that a process is ready for, after which its end says nothing about the next one."""
TRIES: Final = 6
"""Processes in a row that ended before a handler began anything: 31 seconds of pauses."""


@dataclass(slots=True)
class Seat:
    """A place for one process; times are monotonic."""

    worker: WorkerProcess | None = None
    failures: int = 0
    not_before: float = 0.0
    started: float = 0.0
    why: str = ""
    """What ended its last process."""

    def fill(self, now: float, worker: WorkerProcess) -> None:
        """Take in a process that was just started."""
        self.started = now
        self.worker = worker

    def vacate(self, now: float, why: str, *, used: bool, ready: bool = False) -> None:
        """Let the next process start: at once after one that handled messages or lasted.

        One that soon ends idle again and again, or does not get ready, is started after 1 s, then
        after 2, 4, 8 and 16 s. One that was ready for so long that it says nothing about the next
        one counts as used: something kills it now and then, while the queue is empty.
        """
        self.worker = None
        self.why = why
        lasted = ready and now - self.started >= LASTING
        self.failures = 0 if used or lasted else self.failures + 1
        pause = min(LONGEST_PAUSE, 2.0 ** (self.failures - 1)) if self.failures else 0.0
        self.not_before = now + pause

    @property
    def given_up(self) -> bool:
        """Return whether no process has worked here for so long that none will."""
        return self.worker is None and self.failures >= TRIES
