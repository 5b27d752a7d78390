"""Runner of a plan: lets each fault happen at its time, in a fleet that runs elsewhere."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from tidemill.rig.errors import RigError
from tidemill.scaling.faults import NOW, write_fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.rig.chaos.plan import Plan
    from tidemill.scaling.faults import Fault


@dataclass(frozen=True, slots=True)
class Happening:
    """What became of a planned fault: its target, or why it did not happen.

    `at` is AWS's seconds since the start of the plan.
    """

    at: float
    fault: dict[str, str]
    target: str = ""
    missed: str = ""


@dataclass
class PlanRun:
    """A plan that is being carried out.

    Attributes:
        plan: the plan.
        send: lets a fault happen now, and returns its target.
        speed: how many seconds of AWS pass in a second of wall-clock time.
        done: what has become of its faults so far.
    """

    plan: Plan
    send: Callable[[Fault], str]
    speed: float
    done: list[Happening] = field(default_factory=list)

    def advance(self, seconds: float) -> list[Happening]:
        """Let the faults happen that are due so many wall-clock seconds after the start."""
        fresh = []
        for fault in self.plan.faults[len(self.done) :]:
            if fault.at > seconds * self.speed:
                break
            fresh.append(self._happen(fault))
            self.done.append(fresh[-1])
        return fresh

    def is_over(self, seconds: float) -> bool:
        """Return whether every fault has happened and ended so many seconds after the start."""
        last = max([self.plan.seconds, *(fault.until for fault in self.plan.faults)])
        return len(self.done) == len(self.plan.faults) and seconds * self.speed >= last

    def figures(self) -> dict[str, object]:
        """Return the plan's seed, each fault with what became of it, and counts."""
        happened = [one for one in self.done if not one.missed]
        return {
            "seed": self.plan.seed,
            "seconds": self.plan.seconds,
            "speed": self.speed,
            "faults_planned": len(self.plan.faults),
            "faults_happened": len(happened),
            "kinds_happened": sorted({one.fault["kind"] for one in happened}),
            "faults": [asdict(one) for one in self.done],
        }

    def _happen(self, fault: Fault) -> Happening:
        fields = write_fault(replace(fault, at=NOW))
        try:
            return Happening(fault.at, fields, self.send(replace(fault, at=NOW)))
        except RigError as error:
            return Happening(fault.at, fields, missed=str(error))
