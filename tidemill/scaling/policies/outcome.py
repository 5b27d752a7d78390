"""Outcome of a policy: the desired capacity that it asks for, or the reason for no change.

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

    `stays` separates two kinds of None. If it is set, the policy has asked for the present desired
    capacity, and so prevents that another policy makes it smaller. If it is not set, the policy
    has to wait and has asked for no capacity.
    """

    desired: int | None
    held: str = ""
    stays: bool = False


def unchanged(capacity: Capacity) -> Outcome:
    """Return the outcome of a policy that asks for the present desired capacity."""
    return Outcome(None, f"the desired capacity is {capacity.desired} already", stays=True)


def scale_out(target: int, capacity: Capacity, limits: Limits) -> Outcome:
    """Return the outcome of a policy that asks for more than the instances past warm-up.

    It never asks for less than the desired capacity. Example with 10 settled, 1 warming and 11
    desired: a target of 10 + 10 % = 11 changes nothing, a target of 10 + 30 % = 13 becomes 13.
    """
    wanted = limits.clamp(max(target, capacity.desired))
    return unchanged(capacity) if wanted == capacity.desired else Outcome(wanted)


def scale_in(target_of: Callable[[int], int], capacity: Capacity, limits: Limits) -> Outcome:
    """Return the outcome of a policy that asks for fewer instances.

    Nothing is terminated while an instance is pending or warms up ("while instances are warming
    up"; pending ones are included by our reading). Terminating instances still count, so that the
    same step, triggered again, terminates no further instance. Example with 9 settled, 1
    terminating and 9 desired: "one fewer" is 9 + 1 - 1 = 9, which is no change.

    Args:
        target_of: returns the capacity that the policy asks for, given a number of instances.
        capacity: the group as the policy counts it.
        limits: the least and the most instances that the group may have.
    """
    if capacity.warming:
        return Outcome(None, f"{capacity.warming} instances are warming up")
    wanted = limits.clamp(target_of(capacity.settled + capacity.terminating))
    return unchanged(capacity) if wanted >= capacity.desired else Outcome(wanted)
