"""Agenda of simulated instances: planned events, and reports to the group."""

from __future__ import annotations

from heapq import heappush
from typing import TYPE_CHECKING

from tidemill.simulator.instances.instance import SimulatedInstance

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.scaling.loop import InstanceEvent

    Act = Callable[[SimulatedInstance, float], None]
    """The effect of an event; it gets the event's instance and time."""

    PlannedEvent = tuple[float, int, Act, SimulatedInstance, int | None]
    """Time, serial number, effect, instance, and the step without which the event is dropped."""

NO_INSTANCE = SimulatedInstance("")
"""The instance of events that concern no instance."""


class Agenda:
    """A heap of events, ordered by their time and then by the order of their planning.

    Attributes:
        events: the heap; its first event is the next one.
        reports: the events that instances have reported since the last turn, in order.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.events: list[PlannedEvent] = []
        self.reports: list[InstanceEvent] = []
        self._serial = 0

    def plan(self, at: float, act: Act, instance: SimulatedInstance) -> None:
        """Plan an event that happens in any case."""
        self._serial += 1
        heappush(self.events, (at, self._serial, act, instance, None))

    def plan_step(self, at: float, act: Act, instance: SimulatedInstance) -> None:
        """Plan the consumer's next step; it is dropped if another step begins first."""
        self._serial += 1
        heappush(self.events, (at, self._serial, act, instance, instance.step))
