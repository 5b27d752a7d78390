"""Capacity of a group as a scaling policy counts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.scaling.group.lifecycle import WANTED, LifecycleState

if TYPE_CHECKING:
    from tidemill.scaling.group.memory import GroupMemory

TERMINATING = frozenset({LifecycleState.TERMINATING_WAIT, LifecycleState.TERMINATING_PROCEED})


@dataclass(frozen=True, slots=True)
class Capacity:
    """The desired capacity, and numbers of instances as a policy counts them.

    `settled` instances are in service past their warm-up. `warming` ones are pending, or in service
    and within their warm-up. `terminating` ones are being terminated.
    """

    desired: int
    settled: int
    warming: int = 0
    terminating: int = 0


def capacity_of(memory: GroupMemory, warmup: float, now: float) -> Capacity:
    """Return the group as a policy with this warm-up (seconds from InService) counts it."""
    settled = warming = terminating = 0
    for item in memory.instances:
        if item.state is LifecycleState.IN_SERVICE and now - (item.in_service_at or 0) >= warmup:
            settled += 1
        elif item.state in WANTED:
            warming += 1
        elif item.state in TERMINATING:
            terminating += 1
    return Capacity(memory.desired, settled, warming, terminating)
