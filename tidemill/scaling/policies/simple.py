"""Simple scaling: one adjustment, then none until it is complete and the cooldown has passed.

Rules: EC2 Auto Scaling User Guide, "Step and simple scaling policies for Amazon EC2 Auto Scaling"
and "Scaling cooldowns for Amazon EC2 Auto Scaling".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.facts import stamp
from tidemill.scaling.group.memory import Cooldown
from tidemill.scaling.policies.outcome import Outcome, unchanged
from tidemill.scaling.policies.step import adjusted

if TYPE_CHECKING:
    from tidemill.scaling.group.capacity import Capacity
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.spec import Group, Limits, SimpleScalingPolicy


def why_wait(group: Group, memory: GroupMemory, now: float) -> str:
    """Return why a simple scaling policy has to wait, empty if it may act.

    It waits while a scaling activity or the replacement of an instance is in progress, and until
    the cooldown has ended. The cooldown begins when the group has launched or terminated instances,
    whatever the reason: another kind of policy, a schedule, a user, or an instance that was lost.
    """
    if memory.in_progress():
        return "a scaling activity is in progress"
    cooldown = memory.cooldown
    if cooldown is not None and now < cooldown.until(group):
        return f"the cooldown lasts until {stamp(cooldown.until(group))}"
    return ""


def simple_outcome(policy: SimpleScalingPolicy, capacity: Capacity, limits: Limits) -> Outcome:
    """Return the outcome of a policy that need not wait, counted from the desired capacity.

    Example with limits of 1 and 9: 4 + 3 is 7; 4 - 9 becomes the minimum, 1; 4 + 0 is no change.
    """
    wanted = limits.clamp(adjusted(policy, policy.adjustment, capacity.desired))
    return unchanged(capacity) if wanted == capacity.desired else Outcome(wanted)


def begin_cooldown(policy: SimpleScalingPolicy, now: float) -> Cooldown:
    """Return the cooldown that begins when a policy changes the desired capacity at `now`.

    Its length is the policy's Cooldown, otherwise the group's DefaultCooldown (300 s if not set).
    """
    return Cooldown(policy.cooldown, now)
