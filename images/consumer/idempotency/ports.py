"""The table of claims as the consumer sees it: one item per key, claimed, done or absent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from shared.errors import WorkloadError

if TYPE_CHECKING:
    from collections.abc import Sequence


class TableError(WorkloadError):
    """Root of the errors of a call to the table."""


class TableUnavailableError(TableError):
    """No answer, or the service asked to slow down: the same call may succeed later."""


class TableRefusedError(TableError):
    """No such table, not allowed, or not a table of ours: no retry helps."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that `owner` has for itself until `until` (epoch seconds), unless it is renewed.

    The owner is one delivery to one consumer: no other claim has the same.
    """

    key: str
    owner: str
    until: float


@dataclass(frozen=True, slots=True)
class Taken:
    """Answer to a claim: another one has the key, and is done with it or in progress."""

    done: bool
    until: float


class ClaimTable(Protocol):
    """A table with conditional writes. All calls return soon, whatever the table does.

    All of them raise TableUnavailableError or TableRefusedError.
    """

    def claim(
        self, claims: Sequence[Claim], now: float
    ) -> list[Taken | TableUnavailableError | None]:
        """Claim each key if nobody has it, or not any more; None is a key that is claimed now."""
        ...

    def renew(self, claim: Claim) -> bool:
        """Extend a claim in progress; return False if it is not its owner's any more."""
        ...

    def release(self, claim: Claim) -> None:
        """Remove a claim in progress, if it is still its owner's."""
        ...

    def complete(self, claims: Sequence[Claim]) -> None:
        """Note, for each key, that it is done until the claim's time, whoever has it."""
        ...

    def probe(self) -> None:
        """Raise if the table does not answer, or cannot be used."""
        ...
