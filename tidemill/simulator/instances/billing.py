"""Counts of simulated instances: launches, those that never worked, and what is billed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.simulator.instances.instance import SimulatedInstance

HOUR = 3600


@dataclass(slots=True)
class InstanceCounts:
    """What a run's instances come to.

    Attributes:
        launches: instances launched; a start from the warm pool is not one.
        idle_launches: those of them that were terminated without having processed a message.
        idle_seconds: what is billed for these.
        billed_seconds: what is billed for all instances.
        running: how many run at the moment.
        peak: how many ran at once at most.
        hours: hours of the clock, as epoch seconds / 3600, in which an instance ran.
    """

    launches: int = 0
    idle_launches: int = 0
    idle_seconds: float = 0.0
    billed_seconds: float = 0.0
    running: int = 0
    peak: int = 0
    hours: set[int] = field(default_factory=set)

    def begin(self, instance: SimulatedInstance, now: float) -> None:
        """Count an instance that begins to run."""
        instance.running_at = now
        self.running += 1
        self.peak = max(self.peak, self.running)

    def end(self, instance: SimulatedInstance, now: float, billed_at_least: float) -> None:
        """Bill an instance that stops running, if it ever ran.

        From 10:59:50 to 11:00:10 with `billed_at_least` 60: 60 s are billed, in two hours of the
        clock.
        """
        if instance.running_at is None:
            return
        self.running -= 1
        instance.billed = max(now - instance.running_at, billed_at_least)
        self.billed_seconds += instance.billed
        self.hours.update(range(int(instance.running_at // HOUR), int(now // HOUR) + 1))

    def terminate(self, instance: SimulatedInstance) -> None:
        """Count an instance that is terminated by the group, after it has been billed."""
        if instance.running_at is not None and not instance.processed:
            self.idle_launches += 1
            self.idle_seconds += instance.billed
