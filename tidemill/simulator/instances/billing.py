"""Counts of simulated instances: launches, launches without work, and billed seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.simulator.instances.instance import SimulatedInstance

HOUR = 3600


@dataclass(slots=True)
class InstanceCounts:
    """Counts and billed seconds of a run's instances.

    Attributes:
        launches: launched instances; a start from the warm pool does not count.
        idle_launches: launched instances that were terminated without having processed a message.
        idle_seconds: billed seconds of the idle launches.
        cut_off: instances that ended before their consumer had processed what it had received.
        cut_off_messages: the messages of these; they are received again later.
        billed_seconds: billed seconds of all instances.
        held_seconds: seconds of running instances while all messages left waited for a retry.
        running: instances that run at present.
        peak: the largest number that ran at the same time.
        hours: hours of the clock, as epoch seconds / 3600, in which an instance ran.
    """

    launches: int = 0
    idle_launches: int = 0
    idle_seconds: float = 0.0
    cut_off: int = 0
    cut_off_messages: int = 0
    billed_seconds: float = 0.0
    held_seconds: float = 0.0
    running: int = 0
    peak: int = 0
    hours: set[int] = field(default_factory=set)

    def begin(self, instance: SimulatedInstance, now: float) -> None:
        """Count an instance that starts to run."""
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
        self.cut_off += instance.cut_off > 0
        self.cut_off_messages += instance.cut_off
        instance.billed = max(now - instance.running_at, billed_at_least)
        self.billed_seconds += instance.billed
        self.hours.update(range(int(instance.running_at // HOUR), int(now // HOUR) + 1))

    def terminate(self, instance: SimulatedInstance) -> None:
        """Count an instance that is terminated by the group, after it has been billed."""
        if instance.running_at is not None and not instance.processed:
            self.idle_launches += 1
            self.idle_seconds += instance.billed
