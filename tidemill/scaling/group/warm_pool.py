"""The warm pool: how many instances wait in it, and how they get there and away.

Rules: EC2 Auto Scaling User Guide, "Decrease latency for applications with long boot times using
warm pools". What AWS does not say is assumed: the instance that has waited longest is taken first.
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
"""What becomes of an instance that is prepared, by the pool's PoolState."""


def pool_size(group: Group, memory: GroupMemory) -> int:
    """Return how many instances the warm pool should have.

    The rest up to the maximum capacity, or up to MaxGroupPreparedCapacity, but MinSize at least.
    """
    pool = group.warm_pool
    if pool is None:
        return 0
    most = memory.limits(group)[1] if pool.max_prepared is None else pool.max_prepared
    return max(pool.min_size, most - memory.desired, 0)


def next_prepared(memory: GroupMemory) -> Instance | None:
    """Return the instance that leaves the pool for the group first, if one is ready."""
    ready = (item for item in memory.instances if item.state in PREPARED)
    return min(ready, key=lambda item: (item.launched_at, item.id), default=None)
