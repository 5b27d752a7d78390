"""Planned faults of a scenario: those of instances, and those that the loop itself has."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from tidemill.scaling.facts import Noted
from tidemill.scaling.fault_kinds import KINDS
from tidemill.scaling.faults import describe_missed
from tidemill.scaling.metrics.fault_windows import FaultWindows, is_windowed
from tidemill.simulator.errors import SimulationError
from tidemill.simulator.instances.simulated_instances import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemill.scaling.faults import Fault
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.spec import Fleet
    from tidemill.simulator.instances.simulated_instances import SimulatedInstances

NEVER = float("inf")


def windowed_faults(faults: Iterable[Fault], fleet: Fleet, start: float, seed: int) -> FaultWindows:
    """Return the faults of metrics and alarms, for the loop: with epoch seconds and a seed.

    Args:
        faults: all faults of a scenario; their times are in seconds since `start`.
        fleet: the fleet, whose alarms a fault may name.
        start: when the run begins, in epoch seconds.
        seed: the run's seed; a fault may have a seed of its own.

    Raises:
        FaultError: the fleet does not have the alarm that a fault names.
    """
    windows = FaultWindows()
    for fault in faults:
        if not is_windowed(fault):
            continue
        parameters = dict(fault.parameters)
        if any(known.name == "seed" for known in KINDS[fault.kind].parameters):
            parameters.setdefault("seed", seed)
        planned = replace(fault, at=start + fault.at, parameters=parameters)
        windows = windows.plan(planned, fleet.alarms, start)
    return windows


class PlannedFaults:
    """Faults of instances that have not happened yet, in the order of their times.

    If a fault cannot happen, for example because no instance is in service, the timeline gets a
    note, as in the rig.
    """

    def __init__(self, faults: Iterable[Fault], start: float) -> None:
        """Plan the faults of a run.

        Args:
            faults: their times are in seconds since `start`.
            start: when the run begins, in epoch seconds.

        Raises:
            SimulationError: the simulator cannot imitate one of them.
        """
        mine = [(start + fault.at, fault) for fault in faults if not is_windowed(fault)]
        self._planned = deque(sorted(mine, key=lambda planned: planned[0]))
        for _, fault in self._planned:
            if fault.kind not in EFFECTS:
                raise SimulationError(
                    f"the simulator cannot imitate the fault {fault.kind}: choose one of "
                    f"{', '.join(sorted(KINDS))}"
                )

    def next_at(self) -> float:
        """Return when the next fault happens, in epoch seconds; infinity when none is left."""
        return self._planned[0][0] if self._planned else NEVER

    def inject(self, instances: SimulatedInstances, group: GroupMemory, now: float) -> Noted:
        """Inject the next fault, and return the timeline's note about it."""
        _, fault = self._planned.popleft()
        try:
            target = fault.target or _oldest(group)
            instances.inject(target, fault, now)
        except SimulationError as error:
            return Noted(now, describe_missed(fault, error))
        return Noted(now, f"{target} {fault.phrase(KINDS[fault.kind].note)}")


def _oldest(group: GroupMemory) -> str:
    """Return the id of the oldest instance in service.

    Raises:
        SimulationError: no instance is in service.
    """
    oldest = group.oldest_in_service()
    if oldest is None:
        raise SimulationError("no instance is in service")
    return oldest.id
