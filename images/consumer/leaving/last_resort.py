"""The last resort: ends the process when its time is over, or at a second signal.

Usually the process has ended in order before (consumer.supervise). This thread does not depend on
any other one, so it also ends a process in which something hangs, or that is still starting. The
kernel, or another thread, ends the processes of handlers with this one.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from consumer.flight.settlement import ids
from consumer.logs.events import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.in_flight import InFlight
    from consumer.ports import Threads
    from consumer.supervise import Parts
    from shared.stopping import HurriedStop

log = get_logger(__name__)

FOR_EVER: Final = 1e9
"""Seconds, some thirty years."""

SAYING_SECONDS: Final = 0.5
"""Time to say what is left: nobody may be reading the lines."""

SIGNALLED: Final = "a second signal"
LATE: Final = "the time of DRAIN_SECONDS is over"


class LastResort:
    """Waits for a stop and then, for `seconds` at most, for the end of the process."""

    def __init__(
        self,
        stop: HurriedStop,
        seconds: float,
        threads: Threads,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        """Call `end` with the exit code."""
        self._stop = stop
        self._seconds = seconds
        self._threads = threads
        self._end = end
        self._parts: Parts | None = None

    def start(self) -> None:
        """Wait in the background from now on."""
        self._threads.start("last resort", self._run)

    def watch(self, parts: Parts) -> None:
        """Name what these parts have in hand, if it comes to that."""
        self._parts = parts

    def _run(self) -> None:
        self._stop.wait(FOR_EVER)
        why = SIGNALLED if self._stop.wait_hurried(self._seconds) else LATE
        code = [1]
        self._threads.start("last words", lambda: code.append(self._say(why))).join(SAYING_SECONDS)
        self._end(code[-1])

    def _say(self, why: str) -> int:
        """Say what is left; return the exit code, 0 if that is nothing."""
        parts = self._parts
        left = parts is not None and say_left(
            parts.in_flight, why, receiving=parts.worker.receiving
        )
        failed = parts is not None and bool(parts.failures.errors)
        code = int(left or failed)
        log.warning("ended at once", extra={"fields": {"reason": why, "exit_code": code}})
        return code


def say_left(in_flight: InFlight, why: str, *, receiving: bool) -> bool:
    """Say which messages nobody deletes or returns any more; return whether there are any.

    A receive under way may bring some that nobody knows of.
    """
    left = in_flight.left()
    if left.deliveries or receiving:
        log.warning(
            "messages left, they will be received again after their visibility timeout",
            extra={
                "fields": {
                    "message_ids": ids(left.deliveries),
                    "handled_ids": ids(left.handled),
                    "receiving": receiving,
                    "reason": why,
                }
            },
        )
    return bool(left.deliveries) or receiving
