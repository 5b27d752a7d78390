"""Deliveries that no handler has yet, in the order in which they were received."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.attempt import AttemptResult
    from consumer.delivery import Delivery


class Waiting:
    """The deliveries that wait for a handler; a pool calls it with its own lock held."""

    def __init__(self) -> None:
        """Start empty."""
        self._deliveries: deque[Delivery] = deque()

    def __len__(self) -> int:
        """Return how many deliveries wait."""
        return len(self._deliveries)

    def add(self, deliveries: Sequence[Delivery]) -> None:
        """Add deliveries behind those that wait."""
        self._deliveries.extend(deliveries)

    def take(self, most: int) -> list[Delivery]:
        """Take out up to `most` deliveries whose handling may start now."""
        return [self._deliveries.popleft() for _ in range(min(most, len(self._deliveries)))]

    def finished(self, delivery: Delivery, result: AttemptResult) -> None:
        """Note that the handling of a delivery that was taken has ended."""

    def withdraw(self, keep: int) -> list[Delivery]:
        """Take out all deliveries but the first `keep`, for good."""
        withdrawn = list(islice(self._deliveries, keep, None))
        self._deliveries = deque(islice(self._deliveries, keep))
        return withdrawn
