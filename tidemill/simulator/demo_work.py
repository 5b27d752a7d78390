"""Work of a demo: how long handlers took and how often they failed, from consumers' logs."""

from __future__ import annotations

from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

from tidemill.simulator.instances.handling import Failures, HandlerTime

if TYPE_CHECKING:
    from collections.abc import Iterable

FAILED = ("failed", "timed_out")
CRASHED = "crashed"
ENDS = ("processed", *FAILED, CRASHED)
"""How an attempt ends; a message with another outcome was not handled, or not to its end."""


def work_of(lines: Iterable[dict[str, Any]], speed: float) -> tuple[HandlerTime, Failures]:
    """Return the time of messages, in seconds of AWS's time, and the shares that failed.

    A rig at speed 20 whose handlers took 0.1 s had messages of 2 s.

    Args:
        lines: lines of the consumers' logs.
        speed: how many times faster than the machine's clock AWS's time went.
    """
    outcomes, seconds = [], []
    for line in lines:
        took = line.get("duration_seconds")
        if line.get("event") == "message" and line.get("outcome") in ENDS and took is not None:
            outcomes.append(line["outcome"])
            seconds.append(float(took) * speed)
    if not outcomes:
        return HandlerTime(), Failures()
    mean = fmean(seconds)
    failed = sum(outcome in FAILED for outcome in outcomes)
    return (
        HandlerTime(mean, pstdev(seconds, mean) / mean if mean else 0.0),
        Failures(failed / len(outcomes), outcomes.count(CRASHED) / len(outcomes)),
    )
