"""First contact: what needs an answer before a program can work is asked for patiently.

A throttled or unreachable SQS at a start is no reason to give up at once, and a signal ends the
wait even while a request hangs.
"""

from __future__ import annotations

import random
import threading
import time
from itertools import count
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, TypeVar

from shared.errors import QueueUnavailableError
from shared.retries import pause_before

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.stopping import Stop

T = TypeVar("T")

LOOK: Final = 0.1
"""Seconds between two looks at a stop while a request is under way."""


def patiently(
    make: Callable[[], T], stop: Stop, seconds: float, tell: Callable[[str], object]
) -> T | None:
    """Return what `make` makes, or None as soon as a stop is requested.

    For so many seconds it is called again while the queue does not answer; `tell` gets the reason
    each time.

    Raises:
        QueueUnavailableError: there was no answer in this time.
        Exception: what else `make` raises.
    """
    until = time.monotonic() + seconds
    rng = random.Random()  # noqa: S311 - pauses are no secret
    for attempt in count(2):
        ended = _interruptible(make, stop)
        if ended is None:
            return None
        made, error = ended
        if error is None:
            return made
        pause = pause_before(attempt, rng)
        if not isinstance(error, QueueUnavailableError) or time.monotonic() + pause > until:
            raise error
        tell(str(error))
        if stop.wait(pause):
            return None
    raise AssertionError


def _interruptible(
    make: Callable[[], T], stop: Stop
) -> tuple[T, None] | tuple[None, Exception] | None:
    """Call `make` in a thread that does not keep the program alive; None if a stop comes first."""
    ends: SimpleQueue[tuple[T, None] | tuple[None, Exception]] = SimpleQueue()

    def run() -> None:
        try:
            ends.put((make(), None))
        except Exception as error:  # noqa: BLE001 - raised again in the other thread
            ends.put((None, error))

    threading.Thread(target=run, name="first contact", daemon=True).start()
    while not stop.requested():
        try:
            return ends.get(timeout=LOOK)
        except Empty:
            continue
    return None
