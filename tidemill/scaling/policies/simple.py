"""Simple scaling: one adjustment, then nothing until it is over and the group has cooled down.

Rules: EC2 Auto Scaling User Guide, "Step and simple scaling policies for Amazon EC2 Auto Scaling"
and "Scaling cooldowns for Amazon EC2 Auto Scaling".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.facts import stamp
from tidemill.scaling.group.memory import Cooldown
from tidemill.scaling.policies.step import Outcome, adjusted, clamp, staying

if TYPE_CHECKING:
    from tidemill.scaling.group.capacity import Capacity
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.spec import Group, SimpleScalingPolicy


def why_wait(memory: GroupMemory, now: float) -> str:
    """Return why a simple scaling policy has to wait, or nothing where it may act.

    It waits for a scaling activity or the replacement of an instance in progress, and for the
    cooldown of the simple scaling before.
    """
    if memory.in_progress():
        return "a scaling activity is in progress"
    cooldown = memory.cooldown
    if cooldown is not None and now < cooldown.until:
        return f"the group cools down until {stamp(cooldown.until)}"
    return ""


def simply_scaled(policy: SimpleScalingPolicy, capacity: Capacity, low: int, high: int) -> Outcome:
    """Return what a policy asks for that need not wait; it counts from the desired capacity."""
    wanted = clamp(adjusted(policy, policy.adjustment, capacity.desired), low, high)
    return staying(capacity) if wanted == capacity.desired else Outcome(wanted)


def begin_cooldown(group: Group, policy: SimpleScalingPolicy, now: float) -> Cooldown:
    """Return the cooldown of a policy that has just changed the desired capacity.

    The policy's own, else the group's default (300 s where the group gives none).
    """
    own = policy.cooldown
    return Cooldown(group.default_cooldown if own is None else own, now)
