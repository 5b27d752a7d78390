"""A consumer without a table of claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.idempotency.claimed import Claimed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.attempt import Attempt
    from consumer.delivery import Delivery


class NoClaims:
    """What a consumer without a table has instead: every message may be handled."""

    def start(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    def ready(self) -> bool:
        """Return True."""
        return True

    def claim(self, deliveries: Sequence[Delivery]) -> Claimed:
        """Return all messages as ones that handlers may get."""
        return Claimed(mine=list(deliveries))

    def settle(self, attempts: Sequence[Attempt]) -> None:
        """Do nothing."""

    def release(self, deliveries: Iterable[Delivery]) -> None:
        """Do nothing."""
