"""A table of claims in memory, which can be out of order for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.idempotency.ports import (
    Claim,
    TableError,
    TableRefusedError,
    TableUnavailableError,
    Taken,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class FakeTable:
    """Claims by key; `done` has those that are done. While `down`, calls fail with `error`."""

    def __init__(self) -> None:
        """Start empty, and in order."""
        self.claims: dict[str, Claim] = {}
        self.done: set[str] = set()
        self.down = False
        self.error: TableError = TableUnavailableError("no answer from the endpoint: it is down")
        self.calls: list[str] = []

    def claim(
        self, claims: Sequence[Claim], now: float
    ) -> list[Taken | TableUnavailableError | None]:
        """Claim what is free."""
        self.calls.append("claim")
        if self.down and isinstance(self.error, TableRefusedError):
            raise self.error
        return [self._claim(claim, now) for claim in claims]

    def renew(self, claim: Claim) -> bool:
        """Extend a claim in progress."""
        self._call("renew")
        if not self._has(claim):
            return False
        self.claims[claim.key] = claim
        return True

    def release(self, claim: Claim) -> None:
        """Remove a claim in progress."""
        self._call("release")
        if self._has(claim):
            del self.claims[claim.key]

    def complete(self, claims: Sequence[Claim]) -> None:
        """Note what is done."""
        self._call("complete")
        for claim in claims:
            self.claims[claim.key] = claim
            self.done.add(claim.key)

    def probe(self) -> None:
        """Raise while it is down."""
        self._call("probe")

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.down:
            raise self.error

    def _has(self, claim: Claim) -> bool:
        held = self.claims.get(claim.key)
        return held is not None and held.owner == claim.owner and claim.key not in self.done

    def _claim(self, claim: Claim, now: float) -> Taken | TableUnavailableError | None:
        if self.down:
            return TableUnavailableError("no answer from the endpoint: it is down")
        held = self.claims.get(claim.key)
        if held is not None and held.until >= now and held.owner != claim.owner:
            return Taken(claim.key in self.done, held.until)
        self.claims[claim.key] = claim
        self.done.discard(claim.key)
        return None
