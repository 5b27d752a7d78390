"""A message of a simulated queue: what it is, and what has happened to it so far."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class MessageKind(IntEnum):
    """What a message is: only VALID ones can be processed.

    INVALID is refused at once, every attempt at FAILING fails, and SLOW takes longer than the time
    limit, which is known from its first attempt on.
    """

    VALID = 0
    INVALID = 1
    FAILING = 2
    SLOW = 3


class Cause(StrEnum):
    """Why a receive did not end with a delete.

    The first four are attempts. RETURNED was given back untouched; CUT_OFF was in work when its
    consumer's time was over.
    """

    INVALID = "invalid"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    RETURNED = "returned"
    CUT_OFF = "cut_off"


ATTEMPTS: Final = (Cause.INVALID, Cause.FAILED, Cause.TIMED_OUT, Cause.CRASHED)
"""The causes that are ends of an attempt."""


@dataclass(slots=True, eq=False)
class QueuedMessage:
    """A message that has been received; moments are epoch seconds.

    Attributes:
        sent: when it was sent.
        receives: how often it was received, the present receive included.
        kind: what it is.
        group: the number of its message group; only FIFO queues have several.
        number: its place in the order of sending; only FIFO queues need it.
        seconds: how long its handler takes, None before its first attempt.
        attempts: attempts that have ended.
        received_at: when it was last received.
        cause: why its last receive did not end with a delete.
    """

    sent: float
    receives: int = 1
    kind: MessageKind = MessageKind.VALID
    group: int = 0
    number: int = 0
    seconds: float | None = None
    attempts: int = 0
    received_at: float = 0.0
    cause: Cause = Cause.RETURNED

    @property
    def spared(self) -> bool:
        """Return whether a valid message had fewer attempts than receives.

        If it becomes a dead letter, nothing is known against it.
        """
        return self.kind is MessageKind.VALID and self.attempts < self.receives
