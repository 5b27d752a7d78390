"""A consumer without a table of claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.idempotency.claimed import sort_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consumer.attempt import Attempt
    from consumer.delivery import Delivery
    from consumer.idempotency.claimed import Claimed


class NoClaims:
    """What a consumer without a table has instead: every message may be handled.

    Only the order of a FIFO queue's groups (`fifo`) is kept.
    """

    def __init__(self, *, fifo: bool) -> None:
        """Start."""
        self._fifo = fifo

    def start(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def ready(self) -> bool:
        """Return True."""
        return True

    def claim(self, deliveries: Sequence[Delivery], ended: Mapping[int, Attempt]) -> Claimed:
        """Sort the messages; those that have not ended are ones that handlers may get."""
        return sort_out(deliveries, ended, fifo=self._fifo)

    def settle(self, attempts: Sequence[Attempt]) -> None:
        """Do nothing."""

    def release(self, deliveries: Iterable[Delivery]) -> None:
        """Do nothing."""
