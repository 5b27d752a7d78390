"""The replacement of unhealthy instances: how many at a time, and which comes first.

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
"""Percent of the desired capacity that is replaced at a time where no maintenance policy says
otherwise; one instance at least."""


def healthy_range(policy: MaintenancePolicy, desired: int) -> tuple[int, int]:
    """Return the least and the most instances that replacements may leave in the group.

    A fraction is rounded towards the desired capacity (assumed; the page's numbers are whole).
    """
    return (
        math.ceil(desired * policy.min_healthy / 100),
        max(desired, math.floor(desired * policy.max_healthy / 100)),
    )


def replacement_range(group: Group, desired: int) -> tuple[int, int]:
    """Return the range that holds for a group; without a policy nothing is launched before."""
    if group.maintenance is not None:
        return healthy_range(group.maintenance, desired)
    return max(0, desired - max(1, desired * SHARE // 100)), desired


def surge(group: Group, memory: GroupMemory) -> int:
    """Return how many instances a maintenance policy has launched before others go."""
    unhealthy = sum(bool(item.unhealthy) for item in memory.wanted())
    return min(unhealthy, replacement_range(group, memory.desired)[1] - memory.desired)
