"""Stop requests: SIGTERM and SIGINT set a flag that loops check, and end their waits."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from types import FrameType

LONGEST_WAIT: Final = 1.0
"""Seconds after which a wait is interrupted, for signals that another thread has received."""


class Stop(Protocol):
    """A stop request as a loop sees it."""

    def requested(self) -> bool:
        """Return whether a stop was requested."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait up to this time; return True as soon as a stop is requested."""
        ...


class StopSwitch(Stop, Protocol):
    """A stop request that the program can make itself as well."""

    def request(self) -> None:
        """Request a stop."""
        ...


class HurriedStop(StopSwitch, Protocol):
    """A stop request that may become urgent."""

    def wait_hurried(self, seconds: float) -> bool:
        """Wait up to this many seconds for a second signal; return whether there was one."""
        ...


class SignalStop:
    """A stop requested by the signals that Docker (SIGTERM) and a terminal (SIGINT) send.

    A signal's handler interrupts the main thread, perhaps inside `wait` or `request`. If it set an
    Event whose lock is held there, it would block for ever. `SimpleQueue.put` is safe there.
    """

    def __init__(self) -> None:
        """Start with no stop requested; `received` will be the first signal that arrives.

        `hurried` becomes True with the second one.
        """
        self.received: signal.Signals | None = None
        self.hurried = False
        self._before: dict[signal.Signals, Any] = {}
        self._twice = False
        self._requested = False
        self._requests: SimpleQueue[None] = SimpleQueue()
        self._hurries: SimpleQueue[None] = SimpleQueue()

    def install(self, *, twice: bool = False) -> None:
        """Handle both signals; call from the main thread.

        With `twice`, the second signal restores the previous handlers of both, so a third one
        usually ends the program at once, however long the orderly stop takes.
        """
        self._twice = twice
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._on_signal)
        # A process that user code forks is not this program: a SIGTERM has to end it.
        os.register_at_fork(after_in_child=self.restore)

    def restore(self) -> None:
        """Restore the previous handlers of both signals; call from the main thread."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def request(self) -> None:
        """Request a stop, as a signal would."""
        self._requested = True
        self._requests.put(None)

    def requested(self) -> bool:
        """Return whether a stop was requested."""
        return self._requested

    def wait(self, seconds: float) -> bool:
        """Wait up to this many seconds; return True as soon as a stop is requested.

        The wait has pauses: the kernel may let another thread receive the signal, and then Python
        calls its handler only when the main thread runs again.
        """
        deadline = time.monotonic() + seconds
        while not self._requested and (left := deadline - time.monotonic()) > 0:
            with suppress(Empty):
                self._requests.get(timeout=min(left, LONGEST_WAIT))
                self._requests.put(None)  # for other threads that wait, and for later waits
        return self._requested

    def wait_hurried(self, seconds: float) -> bool:
        """Wait up to this many seconds for a second signal; return whether there was one."""
        if not self.hurried:
            with suppress(Empty):
                self._hurries.get(timeout=seconds)
        return self.hurried

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.hurried = self.received is not None
        self.received = self.received or signal.Signals(number)
        if self._twice and self.hurried:
            self.restore()
        if self.hurried:
            self._hurries.put(None)
        self.request()
