"""Statistics of waits that are counted in steps of a tenth of a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.simulator.queues.message_counts import RESOLUTION

if TYPE_CHECKING:
    from collections import Counter

SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


def percentiles(waits: Counter[int]) -> dict[str, float | None]:
    """Return the percentiles of waits in seconds, by name (nearest rank).

    Example: if 50 messages waited 1.0 s, 45 waited 2.0 s, 4 waited 3.0 s and one waited 4.0 s, p50
    is 1.0, p95 is 2.0, p99 is 3.0 and max is 4.0. All are None without a message. Waits are rounded
    down to a tenth of a second.
    """
    total = sum(waits.values())
    if not total:
        return dict.fromkeys(SHARES)
    found: dict[str, float | None] = {}
    ordered = sorted(waits.items())
    for name, share in SHARES.items():
        seen = 0
        for step, count in ordered:
            seen += count
            if seen >= share * total:
                found[name] = round(step * RESOLUTION, 1)
                break
    return found


def mean(waits: Counter[int]) -> float | None:
    """Return the mean wait in seconds, or None without a message."""
    total = sum(waits.values())
    return (
        sum(step * count for step, count in waits.items()) * RESOLUTION / total if total else None
    )
