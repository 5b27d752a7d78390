"""The figures of a run: waits at percentiles, times, counts, dollars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.facts import CapacitySampled, QueueSampled
from tidemill.simulator.cost.bill import dollars_a_day
from tidemill.simulator.queue import RESOLUTION

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from tidemill.scaling.facts import Fact
    from tidemill.simulator.run import Result, Subject
    from tidemill.simulator.scenario import Scenario

QUIET_SECONDS = 600.0
"""How much of the quiet at the end a picture shows."""

SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


def percentiles(waits: Counter[int]) -> dict[str, float | None]:
    """Return seconds that so large a share of the messages waited at most (nearest rank).

    Waits come in steps of a tenth of a second, rounded down; None when nothing was received.
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
    """Return the mean wait in seconds, or None when nothing was received."""
    total = sum(waits.values())
    return (
        sum(step * count for step, count in waits.items()) * RESOLUTION / total if total else None
    )


def figures(subject: Subject, scenario: Scenario, seed: int, result: Result) -> dict[str, object]:
    """Return the figures of a run by name, ready for JSON; seconds, but for what says otherwise.

    `wait_to_first_receive` and `wait_until_processed` are of the messages that got so far.
    """
    dollars = dollars_a_day(subject.fleet, result)
    return {
        "policy": subject.name,
        "scenario": scenario.name,
        "about": scenario.about,
        "seed": seed,
        "sent": result.sent,
        "processed": result.processed,
        "dead_lettered": result.dead,
        "expired": result.expired,
        "left": result.left,
        "lost": result.lost,
        "wait_to_first_receive": percentiles(result.first_waits),
        "wait_until_processed": percentiles(result.waits),
        "mean_wait": _rounded(mean(result.waits)),
        "seconds_to_drain": _rounded(result.drained_after),
        "oldest_age": round(result.oldest_age, 1),
        "instance_hours": round(result.billed_seconds / 3600, 3),
        "peak_instances": result.peak_instances,
        "launches": result.launches,
        "wasted_launches": result.idle_launches,
        "wasted_instance_hours": round(result.idle_seconds / 3600, 3),
        "simulated_hours": round(result.seconds / 3600, 2),
        "dollars_a_day": round(sum(dollars.values()), 4),
        "dollars_a_day_by_item": {item: round(value, 4) for item, value in dollars.items()},
    }


def eventful(facts: Sequence[Fact]) -> list[Fact]:
    """Return the facts without the quiet end of a run, when nothing but samples is told."""
    last = max(
        (fact.at for fact in facts if not isinstance(fact, QueueSampled | CapacitySampled)),
        default=0.0,
    )
    return [fact for fact in facts if fact.at <= last + QUIET_SECONDS]


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
