"""Replacement of unhealthy instances: how many at a time, and whether others launch first.

Rules: EC2 Auto Scaling User Guide, "Health checks for instances in an Auto Scaling group" and
"Instance maintenance policies".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.spec import Group, MaintenancePolicy

SHARE = 10
"""Percent of the desired capacity, at least one instance, that is replaced at a time in a group
without a maintenance policy."""


def healthy_range(policy: MaintenancePolicy, desired: int) -> tuple[int, int]:
    """Return the least and the most instances that replacements may leave in the group.

    A fraction is rounded towards the desired capacity (assumed; the page's numbers are whole).
    Example: 90 % to 110 % of 5 is 4.5 to 5.5, so 5 to 5.
    """
    return (
        math.ceil(desired * policy.min_healthy / 100),
        max(desired, math.floor(desired * policy.max_healthy / 100)),
    )


def replacement_range(group: Group, desired: int) -> tuple[int, int]:
    """Return the healthy range of a group, with its maintenance policy or without one.

    Without a policy no replacement is launched before an unhealthy instance is terminated: 20
    desired instances give 18 to 20.
    """
    if group.maintenance is not None:
        return healthy_range(group.maintenance, desired)
    return max(0, desired - max(1, desired * SHARE // 100)), desired


def surge(group: Group, memory: GroupMemory) -> int:
    """Return how many replacements are launched before unhealthy instances are terminated."""
    unhealthy = sum(bool(item.unhealthy) for item in memory.wanted())
    return min(unhealthy, replacement_range(group, memory.desired)[1] - memory.desired)
