"""Replacement of unhealthy instances: how many at a time, and whether others launch first.

Rules: EC2 Auto Scaling User Guide, "About the health checks for your Auto Scaling group" and
"Instance maintenance policy for Auto Scaling group".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemill.scaling.group.memory import GroupMemory, Instance
    from tidemill.scaling.spec import Group, MaintenancePolicy

SHARE = 10
"""Percent of the desired capacity, at least one instance, that is replaced at a time in a group
without a maintenance policy."""


USER_HEALTH_CHECK = "a user health-check"
"""The reason in the activity of an instance that SetInstanceHealth has marked as unhealthy."""


def replaceable(
    group: Group, memory: GroupMemory, unhealthy: Sequence[Instance], now: float
) -> Sequence[Instance]:
    """Return those of the unhealthy instances that may be terminated now.

    An instance that SetInstanceHealth has marked is replaced immediately. Other health checks, and
    every one in a group with a maintenance policy (assumed for marked instances), leave the least
    number of instances of `replacement_range` in service and ready. A healthy instance is ready
    when its default instance warm-up is over; without a default instance warm-up, at InService.
    Unhealthy instances still count, since they are what the range is to preserve.
    """
    if group.maintenance is None:
        marked = [item for item in unhealthy if item.unhealthy == USER_HEALTH_CHECK]
        if marked:
            return marked
    warmup = group.default_warmup or 0
    ready = sum(
        bool(item.unhealthy) or now - (item.in_service_at or 0) >= warmup
        for item in memory.serving()
    )
    return unhealthy[: max(0, ready - replacement_range(group, memory.desired)[0])]


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
