"""Backlog: deliveries without a process, those that wait and those that must be run again alone."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from consumer.waiting import by_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.attempt import AttemptResult
    from consumer.delivery import Delivery
    from consumer.waiting import Waiting


class Backlog:
    """What a process pool still has to hand over; the caller locks."""

    def __init__(self, waiting: Waiting) -> None:
        """Take the order of deliveries from `waiting`."""
        self.waiting = waiting
        self._suspects: deque[Delivery] = deque()

    def __bool__(self) -> bool:
        """Return whether anything is to be handed over."""
        return bool(self._suspects) or len(self.waiting) > 0

    def suspect(self, deliveries: Sequence[Delivery]) -> None:
        """Let deliveries be run again, each alone; they stay in hand as for the order of groups."""
        self._suspects.extend(sorted(deliveries, key=by_key))

    def next_suspect(self) -> Delivery | None:
        """Return the delivery that is to be run alone next."""
        while self._suspects and not self.waiting.in_hand(self._suspects[0]):
            self._suspects.popleft()  # it went back with its group
        return self._suspects[0] if self._suspects else None

    def take_suspect(self) -> Delivery:
        """Take out the delivery that `next_suspect` has returned."""
        return self._suspects.popleft()

    def finished(
        self, delivery: Delivery, result: AttemptResult | None
    ) -> tuple[bool, list[Delivery]]:
        """End a delivery; return whether it still counts, and which others have to go back."""
        if not self.waiting.in_hand(delivery):
            return False, []
        return True, self.waiting.finished(delivery, result)

    def withdraw(self, keep: int) -> list[Delivery]:
        """Take back all deliveries but the first `keep`."""
        suspects = [one for one in self._suspects if self.waiting.in_hand(one)]
        kept, withdrawn = suspects[:keep], suspects[keep:]
        self._suspects = deque(kept)
        withdrawn += [
            follower for one in withdrawn for follower in self.waiting.finished(one, None)
        ]
        return withdrawn + self.waiting.withdraw(max(0, keep - len(kept)))
