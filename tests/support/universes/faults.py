"""Faults of a universe: which kinds there are, which a seed enables, and when one happens.

Each universe enables a random half of the kinds ("swarm testing"): faults hide one another, so a
run with all of them finds less than many runs with some.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection
    from random import Random

REQUESTS: Final = ("receive", "delete", "change", "copy")
"""Requests to SQS: `change` is of the visibility, `copy` sends a rejected message."""

CHANCES: Final[dict[str, float]] = {
    # A request, by what SQS does with it.
    **{f"{request} unavailable": 0.15 for request in REQUESTS},
    **{f"{request} answer lost": 0.12 for request in REQUESTS},
    **{f"{request} slow": 0.08 for request in REQUESTS},
    **{f"{request} denied": 0.01 for request in REQUESTS},
    # One message of a request.
    **{f"{request} refused for now": 0.12 for request in REQUESTS[1:]},
    **{f"{request} refused": 0.06 for request in REQUESTS[1:]},
    # SQS itself, as its documentation says of standard queues.
    "message delivered twice": 0.08,
    "deleted message delivered again": 0.05,
    "message overlooked": 0.3,
    "delete without effect": 0.08,
    # The machine.
    "no further thread": 0.02,
    "no output": 0.01,
    # What handlers do, for each call.
    "handler raises": 0.15,
    "handler rejects": 0.25,
    "handler asks for a retry": 0.15,
    "handler is slow": 0.3,
    "handler hangs": 0.04,
}
"""Each kind with the probability that it happens where it can."""

EVENTS: Final = ("outage", "killed", "frozen", "clock set", "slow processor", "second signal")
"""Faults that happen at a time, which the plan draws."""

KINDS: Final = (*CHANCES, *EVENTS)
FIFO_HAS_NOT: Final = frozenset(
    {
        "message delivered twice",
        "deleted message delivered again",
        "message overlooked",
        "delete without effect",
    }
)
"""What SQS does only with standard queues ("exactly-once processing", SQS developer guide)."""


def swarm(rng: Random) -> frozenset[str]:
    """Return a random half of the kinds; one universe in ten has none."""
    if rng.random() < 0.1:
        return frozenset()
    return frozenset(kind for kind in KINDS if rng.random() < 0.5)


class Faults:
    """Draws whether a fault happens; `counts` are those that have, by kind.

    `left_out` are faults, by kind and place in the order of their kind, that do not happen although
    they were drawn: that is how a failing universe is made smaller. Once `calm`, none happens.
    """

    def __init__(
        self,
        rng: Random,
        enabled: Collection[str],
        left_out: Collection[tuple[str, int]] = (),
    ) -> None:
        """Start with no fault so far."""
        self._random = rng.random
        self.rng = rng
        self.enabled = frozenset(enabled)
        self._left_out = frozenset(left_out)
        self.counts: Counter[str] = Counter()
        self._forced: list[str] = []
        self.calm = False

    def happens(self, kind: str) -> bool:
        """Return whether a fault of this kind happens here and now."""
        if self.calm:
            return False
        if kind in self._forced:
            self._forced.remove(kind)
        elif kind not in self.enabled or self._random() >= CHANCES[kind]:
            return False
        self.counts[kind] += 1
        return (kind, self.counts[kind]) not in self._left_out

    def force(self, kind: str) -> None:
        """Let the next fault of this kind happen where it can, enabled or not."""
        self._forced.append(kind)
