"""SIGTERM and SIGINT as a question that a loop can ask, and a wait that they end."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Protocol

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
    """Stop on the signals that Docker (SIGTERM) and a terminal (SIGINT) send."""

    def __init__(self) -> None:
        """Start in the state of nobody having asked."""
        self._event = threading.Event()

    def install(self) -> None:
        """Take over both signals; call from the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def request(self) -> None:
        """Ask to stop, as a signal would."""
        self._event.set()

    def requested(self) -> bool:
        """Tell whether somebody asked to stop."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait up to this many seconds; return True at once when stopping is asked for."""
        return self._event.wait(seconds)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.request()
