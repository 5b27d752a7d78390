"""Soak test: sends messages through a fleet while faults happen, and waits for an empty queue."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tidemill.rig.chaos.plan import draw_plan, kinds_of, write_plan
from tidemill.rig.chaos.runner import PlanRun
from tidemill.rig.chaos.soak_sending import Sending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tidemill.ledger.queues import Queues
    from tidemill.rig.chaos.bench import Bench
    from tidemill.rig.chaos.runner import Happening
    from tidemill.rig.chaos.soak_options import SoakOptions

PAUSE: Final = 0.1
QUIET_SECONDS: Final = 2.0
"""Seconds for which a queue has to be empty until it counts as drained."""
BOOT_SECONDS: Final = 60.0
"""Time for the first worker to start: faults begin then, even without one."""


@dataclass(frozen=True, slots=True)
class SoakRun:
    """A soak test whose queue is drained.

    Attributes:
        queues: one look at the queues.
        going: what became of the faults.
        sent_logs: the logs of the producer's runs.
        wall_seconds: how long it took.
    """

    queues: Queues
    going: PlanRun
    sent_logs: Sequence[Path]
    wall_seconds: float


def run_soak(bench: Bench, options: SoakOptions, show: Callable[[str], None]) -> SoakRun:
    """Send messages while faults happen, and wait until the queue is empty.

    Args:
        bench: the fleet under test.
        options: what to send, and how often faults happen.
        show: called with a line about each fault, and about the producer.

    Raises:
        RigError: the producer fails again and again.
    """
    plan = draw_plan(
        options.seed,
        options.messages / options.rate * bench.speed,
        options.every * bench.speed,
        options.kinds or kinds_of(bench.kind),
    )
    (bench.folder / "plan.json").write_text(write_plan(plan) + "\n")
    going = PlanRun(plan, bench.inject, bench.speed)
    sending = Sending(bench, options)
    begun = time.monotonic()
    started: float | None = None  # when the faults begin
    busy_at, calm_at = begun, float("inf")
    try:
        now = begun
        while now < busy_at + QUIET_SECONDS and now < calm_at + options.drain_seconds:
            bench.turn()
            now = time.monotonic()
            if started is None and (_works(bench) or now > begun + BOOT_SECONDS):
                started = now
            for one in going.advance(now - started) if started is not None else ():
                show(line_of(one))
            sent = sending.go_on()
            over = sent and started is not None and going.is_over(now - started)
            if over:
                calm_at = min(calm_at, now)
            if not over or bench.waiting():
                busy_at = now
            time.sleep(PAUSE)
    finally:
        sending.end()
    return SoakRun(bench.look(), going, sending.logs, round(now - begun, 1))


def _works(bench: Bench) -> bool:
    """Return whether a worker has written a line."""
    return any(path.stat().st_size for path in bench.logs.glob("*.jsonl"))


def line_of(one: Happening) -> str:
    """Return what became of a fault, in a line."""
    what = f"missed: {one.missed}" if one.missed else f"of {one.target}"
    return f"{one.at:g} s: {one.fault['kind']} {what}"
