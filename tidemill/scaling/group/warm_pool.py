"""Warm pool: its size, and the choice of the instance that is used first.

Rules: EC2 Auto Scaling User Guide, "Decrease latency for applications with long boot times using
warm pools". AWS does not say which instance is used first; here it is the one that has waited
longest (assumed).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.group.lifecycle import PREPARED, Event

if TYPE_CHECKING:
    from tidemill.scaling.group.memory import GroupMemory, Instance
    from tidemill.scaling.spec import Group

PREPARED_BY = {
    "Stopped": Event.STOPS,
    "Running": Event.STAYS_UP,
    "Hibernated": Event.HIBERNATES,
}
"""The event of an instance that has been prepared, by the pool's PoolState."""


def pool_size(group: Group, memory: GroupMemory) -> int:
    """Return how many instances the warm pool should have.

    This is the maximum size (or MaxGroupPreparedCapacity, if set) minus the desired capacity, and
    at least MinSize. Example with a maximum of 10 and a MinSize of 2: 10 - 4 = 6 with 4 desired, 2
    with 9 desired.
    """
    pool = group.warm_pool
    if pool is None:
        return 0
    most = memory.limits(group).high if pool.max_prepared is None else pool.max_prepared
    return max(pool.min_size, most - memory.desired, 0)


def next_prepared(memory: GroupMemory) -> Instance | None:
    """Return the instance that is used first, None if no instance is ready."""
    ready = (item for item in memory.instances if item.state in PREPARED)
    return min(ready, key=lambda item: (item.launched_at, item.id), default=None)
