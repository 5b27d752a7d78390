"""Outcome of a policy: the desired capacity that it asks for, or why it asks for none.

Step scaling and target tracking share the rules here for scale-out and scale-in. Source: EC2 Auto
Scaling User Guide, "Step and simple scaling policies for Amazon EC2 Auto Scaling".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.scaling.group.capacity import Capacity
    from tidemill.scaling.spec import Limits


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one policy: the new desired capacity, or None and the reason in `held`.

    `stays` separates two kinds of None. A policy that stays has asked for the present desired
    capacity: this is a number like any other, and prevents a smaller one that another policy asks
    for. A policy that must wait has asked for nothing.
    """

    desired: int | None
    held: str = ""
    stays: bool = False


def unchanged(capacity: Capacity) -> Outcome:
    """Return the outcome of a policy that asks for the present desired capacity."""
    return Outcome(None, f"the group wants {capacity.desired} already", stays=True)


def scale_out(target: int, capacity: Capacity, limits: Limits) -> Outcome:
    """Return the outcome of a policy that asks for more than the instances past warm-up.

    It never asks for less than the desired capacity. Example: 10 settled, 1 warming, 11 desired
    and a target of 10 + 10 % = 11 changes nothing; a target of 13 makes it 13.
    """
    wanted = limits.clamp(max(target, capacity.desired))
    return unchanged(capacity) if wanted == capacity.desired else Outcome(wanted)


def scale_in(target_of: Callable[[int], int], capacity: Capacity, limits: Limits) -> Outcome:
    """Return the outcome of a policy that asks for fewer instances.

    Nothing is terminated while an instance is pending or warms up (that pending ones count here is
    our reading of "while instances are warming up"). Instances that terminate still count, so that
    a second alarm in the same step terminates no more. Example: 9 settled, 1 terminating, 9
    desired; "one fewer" is 9 + 1 - 1 = 9, which is no change.

    Args:
        target_of: the capacity that the policy makes of a number of instances.
        capacity: the group as the policy sees it.
        limits: the least and the most instances that the group may have.
    """
    if capacity.warming:
        return Outcome(None, f"{capacity.warming} instances are warming up")
    wanted = limits.clamp(target_of(capacity.settled + capacity.terminating))
    return unchanged(capacity) if wanted >= capacity.desired else Outcome(wanted)
