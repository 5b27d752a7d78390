"""The drain: how the time between a signal to stop and the end of the process is divided.

Pure, because the simulator, the rig and the lint rules use it as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

CALLS_PART: Final = 1 / 4
CALLS_MOST: Final = 10.0
"""Part of the whole time for the last calls to SQS, and the most seconds that it may be: enough for
a second try on a connection of its own if the first one gets no answer."""

LOGS_PART: Final = 1 / 6
LOGS_MOST: Final = 5.0
"""The same, for sending the lines that wait to CloudWatch Logs."""

SLOWEST_ANSWER: Final = 1.0
"""Seconds that the answer to a receive may take beyond the wait that was asked for."""


@dataclass(frozen=True, slots=True)
class Drain:
    """The parts of DRAIN_SECONDS, one after another; each may end earlier and none later.

    Attributes:
        handlers: seconds that running handlers, and a receive under way, have to end.
        calls: seconds for ending handlers that have not, and for the last calls to SQS.
        logs: seconds for the last lines.
    """

    handlers: float
    calls: float
    logs: float

    @staticmethod
    def of(seconds: float) -> Drain:
        """Divide the whole time.

        9 s are 5.25 s for handlers, 2.25 s for calls, 1.5 s for logs; 75 s are 60 s, 10 s and 5 s.
        """
        calls = min(CALLS_MOST, seconds * CALLS_PART)
        logs = min(LOGS_MOST, seconds * LOGS_PART)
        return Drain(seconds - calls - logs, calls, logs)

    @property
    def whole(self) -> float:
        """Return the seconds from the signal to the end of the process."""
        return self.handlers + self.calls + self.logs

    @property
    def longest_receive(self) -> int:
        """Return how many seconds a receive may wait for messages.

        One that is under way at the signal has to end in time: SQS hides messages that it sends to
        a closed connection, until their visibility timeout is over.
        """
        return max(1, math.floor(self.handlers - SLOWEST_ANSWER))
