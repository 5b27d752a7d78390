"""The capacity of a group as a scaling policy sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.scaling.group.lifecycle import WANTED, LifecycleState

if TYPE_CHECKING:
    from tidemill.scaling.group.memory import GroupMemory

LEAVING_THE_GROUP = frozenset({LifecycleState.TERMINATING_WAIT, LifecycleState.TERMINATING_PROCEED})


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a policy sees of the group, in instances.

    `settled` are in service past their warm-up, `warming` on their way there (pending ones
    included), `terminating` on their way out.
    """

    desired: int
    settled: int
    warming: int = 0
    terminating: int = 0


def see_capacity(memory: GroupMemory, warmup: float, now: float) -> Capacity:
    """Return the group as a policy with this warm-up (seconds from InService) sees it."""
    settled = warming = terminating = 0
    for item in memory.instances:
        if item.state is LifecycleState.IN_SERVICE and now - (item.in_service_at or 0) >= warmup:
            settled += 1
        elif item.state in WANTED:
            warming += 1
        elif item.state in LEAVING_THE_GROUP:
            terminating += 1
    return Capacity(memory.desired, settled, warming, terminating)
