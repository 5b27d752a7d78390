"""Fault windows: the faults of metrics and alarms, and when each of them begins and ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tidemill.scaling.errors import FaultError
from tidemill.scaling.facts import FaultBegan, FaultEnded
from tidemill.scaling.fault_kinds import KINDS, Target
from tidemill.scaling.faults import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemill.scaling.facts import Fact
    from tidemill.scaling.faults import Fault
    from tidemill.scaling.spec import Alarm


def is_windowed(fault: Fault) -> bool:
    """Return whether the loop itself has the effect of a fault, between its begin and its end."""
    return fault.kind in KINDS and KINDS[fault.kind].target in {Target.METRIC, Target.ALARM}


@dataclass(frozen=True, slots=True)
class FaultWindows:
    """Faults of metrics and alarms that have not ended.

    Attributes:
        planned: those that have not begun; their times are in epoch seconds.
        active: those that have begun.
    """

    planned: tuple[Fault, ...] = ()
    active: tuple[Fault, ...] = ()

    def plan(self, fault: Fault, alarms: Iterable[Alarm], now: float) -> FaultWindows:
        """Return these windows with one more fault, which begins at its time, but not before now.

        Raises:
            FaultError: the fault names an alarm that is not one of these.
        """
        known = sorted(alarm.logical_id for alarm in alarms)
        if KINDS[fault.kind].target is Target.ALARM and fault.target not in {None, *known}:
            choice = f"choose one of {', '.join(known)}" if known else "it has none that scales"
            raise FaultError(f"the fleet has no alarm {fault.target}: {choice}")
        return replace(self, planned=(*self.planned, replace(fault, at=max(fault.at, now))))

    def next_change(self) -> float:
        """Return when the next fault begins or ends, infinity without one."""
        begins = (fault.at for fault in self.planned)
        return min((*begins, *(fault.until for fault in self.active)), default=NEVER)

    def begin_due(self, now: float) -> tuple[FaultWindows, tuple[Fact, ...]]:
        """Return the windows with the faults that have begun until now as active, and the facts."""
        due = tuple(fault for fault in self.planned if fault.at <= now)
        if not due:
            return self, ()
        later = tuple(fault for fault in self.planned if fault.at > now)
        facts = tuple(
            FaultBegan(one.at, one.kind, one.target or "", dict(one.parameters)) for one in due
        )
        return FaultWindows(later, (*self.active, *due)), facts

    def end_due(self, now: float) -> tuple[FaultWindows, tuple[Fact, ...]]:
        """Return the windows without the faults that have ended until now, and the facts."""
        over = tuple(fault for fault in self.active if fault.until <= now)
        if not over:
            return self, ()
        facts = tuple(FaultEnded(one.until, one.kind, one.target or "") for one in over)
        return replace(self, active=tuple(one for one in self.active if one not in over)), facts


NO_FAULTS: Final = FaultWindows()
