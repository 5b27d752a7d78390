"""What can go wrong in producer and consumer, split by what the caller can do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class WorkloadError(Exception):
    """Root of every error that producer and consumer raise on purpose; its text is for people."""


class SettingsError(WorkloadError):
    """Settings are missing or wrong: say all of `problems`, then exit with code 2."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the problems, one sentence each."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class InvalidMessageError(WorkloadError):
    """A body that is not a valid vehicle: it will never be, so it belongs in the dead letters."""


class QueueError(WorkloadError):
    """Root of what SQS, or the way to it, answers instead of doing the work."""


class QueueUnavailableError(QueueError):
    """Nobody answered, or SQS asked to slow down: the same call may succeed later."""


class QueueRefusedError(QueueError):
    """SQS understood and refused, or the call cannot be made at all: exit, retrying is useless."""
