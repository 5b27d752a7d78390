"""SIGTERM and SIGINT as a question that a loop can ask, and a wait that they end."""

from __future__ import annotations

import signal
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from types import FrameType


class Stop(Protocol):
    """What a loop needs to know about being asked to stop."""

    def requested(self) -> bool:
        """Tell whether somebody asked to stop."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait up to this long; return True at once when stopping is asked for."""
        ...


class SignalStop:
    """Stop on the signals that Docker (SIGTERM) and a terminal (SIGINT) send.

    A signal may come while its own thread is inside `wait` or `request`; an Event's lock, held
    there, would never be released. A SimpleQueue's `put` is made to be called in such places.
    """

    def __init__(self) -> None:
        """Start in the state of nobody having asked; `received` is the first signal that came."""
        self.received: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}
        self._once = False
        self._requested = False
        self._news: SimpleQueue[None] = SimpleQueue()

    def install(self, *, once: bool = False) -> None:
        """Take over both signals; call from the main thread.

        With `once` the first signal gives both back, so that a second one does what it did
        before: it usually ends the program, however long stopping in order would take.
        """
        self._once = once
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._on_signal)

    def restore(self) -> None:
        """Give both signals back to whoever had them; call from the main thread."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def request(self) -> None:
        """Ask to stop, as a signal would."""
        self._requested = True
        self._news.put(None)

    def requested(self) -> bool:
        """Tell whether somebody asked to stop."""
        return self._requested

    def wait(self, seconds: float) -> bool:
        """Wait up to this many seconds; return True at once when stopping is asked for."""
        with suppress(Empty):
            self._news.get(timeout=max(seconds, 0))
            self._news.put(None)  # for whoever else waits, now or later
        return self._requested

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.received = self.received or signal.Signals(number)
        if self._once:
            self.restore()
        self.request()
