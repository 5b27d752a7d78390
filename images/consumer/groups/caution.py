"""Caution: how many messages a receive from a FIFO queue asks for after failures.

A receive cannot leave out a group. One for ten messages therefore receives a message that failed
together with its followers, which no handler gets if it fails again, and each receive brings them
nearer to the dead letters. So after a failure whose followers went back, a receive asks for one
message, and for twice as many after every message of that group that gets through. Pure: no clock,
no calls.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Final

from shared.quotas import MAX_BATCH

DELAYS_REMEMBERED: Final = 30
"""For how many of its delays a failure is remembered. The next attempt may be another consumer's;
if it fails there, too, the delay doubles. With a delay of 30 s, four others fail until 30 + 60 +
120 + 240 + 480 s have passed: 31 delays."""

LEAST_REMEMBERED: Final = 60.0
"""Seconds that are added: the handling itself takes time, and a worker may rest between polls."""

LONGEST_REMEMBERED: Final = 3600.0


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A group whose message is received again at `visible_at`.

    Receives ask for `limit` messages, at the longest until `until`.
    """

    limit: int
    visible_at: float
    until: float


class Caution:
    """The groups that failed a while ago; safe in any thread."""

    def __init__(self) -> None:
        """Start without a failure."""
        self._lock = threading.Lock()
        self._troubles: dict[str, _Trouble] = {}

    def failed(self, group: str, delay: float, now: float) -> None:
        """Note that a message of the group failed and is received again after `delay` seconds."""
        remembered = min(DELAYS_REMEMBERED * delay + LEAST_REMEMBERED, LONGEST_REMEMBERED)
        with self._lock:
            limit = 1 if self._is_in_trouble(group) else MAX_BATCH
            self._troubles[group] = _Trouble(limit, now + delay, now + remembered)

    def followed(self, group: str) -> None:
        """Note that the message of the group that failed had followers, which went back."""
        with self._lock:
            if trouble := self._troubles.get(group):
                self._troubles[group] = replace(trouble, limit=1)

    def through(self, group: str) -> None:
        """Note that a message of the group got through, so that twice as many may be received."""
        with self._lock:
            trouble = self._troubles.pop(group, None)
            if trouble is not None and trouble.limit * 2 < MAX_BATCH:
                self._troubles[group] = replace(trouble, limit=trouble.limit * 2)

    def visible_at(self, group: str) -> float | None:
        """Return when the message of the group that failed is received again, None without one."""
        with self._lock:
            trouble = self._troubles.get(group)
            return None if trouble is None else trouble.visible_at

    def limit(self, most: int, now: float) -> int:
        """Return how many messages to ask for: at most `most`, fewer while a group is in trouble.

        Of 10: 1 after a failure, then 2, 4 and 8 as messages of that group get through, then 10.
        """
        with self._lock:
            if not self._troubles:
                return most
            self._troubles = {
                group: trouble for group, trouble in self._troubles.items() if trouble.until > now
            }
            return min([most, *(trouble.limit for trouble in self._troubles.values())])

    def _is_in_trouble(self, group: str) -> bool:
        trouble = self._troubles.get(group)
        return trouble is not None and trouble.limit < MAX_BATCH
