"""The computer's clock and threads."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class SystemClock:
    """Real time; each method is one call of the standard library."""

    def time(self) -> float:
        """Return the seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return the seconds of a clock that is never set back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after this time."""
        time.sleep(seconds)


class SystemThreads:
    """Threads of this process."""

    def start(self, name: str, function: Callable[[], object]) -> threading.Thread:
        """Run the function in a daemon thread."""
        thread = threading.Thread(target=function, name=name, daemon=True)
        thread.start()
        return thread

    def condition(self) -> threading.Condition:
        """Return a new condition."""
        return threading.Condition()
