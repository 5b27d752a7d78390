"""Errors of producer and consumer, split by what the caller can do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class WorkloadError(Exception):
    """Root of every error that producer and consumer raise on purpose; its text is for people."""


class SettingsError(WorkloadError):
    """Settings that are missing or wrong: print all of `problems`, then exit with code 2."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the problems, one sentence each."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class InvalidMessageError(WorkloadError):
    """A body that is not a valid vehicle: no retry helps, it belongs in the dead-letter queue."""


class QueueError(WorkloadError):
    """Root of the errors of a call to SQS, its network included."""


class QueueUnavailableError(QueueError):
    """No answer, or SQS asked to slow down: the same call may succeed later.

    `answer_lost` is True if the request may have reached SQS and been carried out.
    """

    def __init__(self, text: str, *, answer_lost: bool = False) -> None:
        """Keep the text for people."""
        super().__init__(text)
        self.answer_lost = answer_lost


class QueueRefusedError(QueueError):
    """SQS refused the call, or it cannot be made at all: no retry helps, exit."""


class BatchRefusedError(QueueRefusedError):
    """SQS refused a batch for what is in it: no retry helps it, and others may succeed."""
