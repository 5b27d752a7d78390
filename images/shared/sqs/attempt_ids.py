"""Receive request attempt ids: a receive whose answer was lost is repeated, not made anew.

SQS has then hidden the messages of the lost answer, and with them their message groups, for the
whole visibility timeout. A receive with the same id returns the same messages. ("Receive request
attempt ID" in the SQS developer guide, "FIFO queue key terms".)
"""

from __future__ import annotations

from typing import Final

REPEATABLE_SECONDS: Final = 300.0 - 30
"""SQS knows an id for five minutes after the receive; a request may itself take half a minute."""


class AttemptIds:
    """The id of each receive from a FIFO queue; for one thread."""

    def __init__(self, prefix: str) -> None:
        """Number the receives; the prefix tells them from those of other consumers."""
        self._prefix = prefix
        self._count = 0
        self._unanswered: tuple[str, int, float] | None = None  # id, limit, when it was new

    def begin(self, limit: int, now: float) -> str:
        """Return the id of a receive of up to `limit` messages.

        It is that of the last receive if that had no answer, asked for as many messages and is not
        too long ago for SQS to know it.
        """
        if self._unanswered is not None:
            attempt_id, asked, began = self._unanswered
            if asked == limit and now - began < REPEATABLE_SECONDS:
                return attempt_id
        self._count += 1
        attempt_id = f"{self._prefix}-{self._count}"
        self._unanswered = attempt_id, limit, now
        return attempt_id

    def answered(self) -> None:
        """Note that the last receive had an answer."""
        self._unanswered = None
