"""Group metrics: their names, and their values for the metrics that a group enables.

Source: EC2 Auto Scaling User Guide, "Amazon CloudWatch metrics for Amazon EC2 Auto Scaling".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.group.lifecycle import (
    PENDING_STATES,
    POOLED,
    PREPARED,
    PREPARING,
    TERMINATING_STATES,
    LifecycleState,
)
from tidemill.scaling.group.warm_pool import pool_size
from tidemill.scaling.metrics.statistics import StatisticSet
from tidemill.scaling.metrics.store import Datapoint
from tidemill.scaling.spec import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.spec import Group

NAMESPACE = "AWS/AutoScaling"

_S = LifecycleState
UNITS = ("Instances", "Capacity")
"""The ends of the names of metrics that count instances. Those that count capacity units have the
same values, because instance weights are not modelled."""
COUNTED = ("InService", "Pending", "Standby", "Terminating", "TerminatingRetained", "Total")
"""What those metrics count. Terminating does not include retained instances, Total includes them
and those on standby (assumed; of Total the page names those in service, pending and terminating).
"""

_OUT = frozenset({_S.TERMINATING_WAIT, _S.TERMINATING_PROCEED})
_POOL_OUT = TERMINATING_STATES - _OUT


def group_metric(group: Group, name: str) -> Metric:
    """Return a metric of the group."""
    return Metric(NAMESPACE, name, (("AutoScalingGroupName", group.name),))


def group_datapoints(group: Group, memory: GroupMemory, minute: float) -> Iterator[Datapoint]:
    """Yield the enabled group metrics for the minute that began at `minute`, in epoch seconds."""
    if not group.metrics:
        return
    values = _group_values(group, memory)
    if group.warm_pool is not None:
        values |= _pool_values(group, memory, values)
    for name, value in values.items():
        if name in group.metrics:
            yield Datapoint(group_metric(group, name), minute, StatisticSet.of(value))


def _group_values(group: Group, memory: GroupMemory) -> dict[str, int]:
    states = [item.state for item in memory.instances]
    low, high = memory.limits(group)
    counts = {
        "InService": states.count(_S.IN_SERVICE),
        "Pending": sum(state in PENDING_STATES for state in states),
        "Standby": states.count(_S.STANDBY),
        "Terminating": sum(state in _OUT for state in states),
        "TerminatingRetained": states.count(_S.TERMINATING_RETAINED),
        "Total": sum(state not in POOLED for state in states),
    }
    return {
        "GroupDesiredCapacity": memory.desired,
        "GroupMaxSize": high,
        "GroupMinSize": low,
        **{f"Group{name}{unit}": count for name, count in counts.items() for unit in UNITS},
    }


def _pool_values(group: Group, memory: GroupMemory, values: dict[str, int]) -> dict[str, int]:
    states = [item.state for item in memory.instances]
    total = sum(state in POOLED for state in states)
    size = pool_size(group, memory)
    return {
        "WarmPoolMinSize": 0 if group.warm_pool is None else group.warm_pool.min_size,
        "WarmPoolDesiredCapacity": size,
        "WarmPoolWarmedCapacity": sum(state in PREPARED for state in states),
        "WarmPoolPendingCapacity": sum(state in PREPARING for state in states),
        "WarmPoolTerminatingCapacity": sum(state in _POOL_OUT for state in states),
        # Instances are retained on their way back to the pool only if scale-in returns them.
        "WarmPoolPendingRetainedCapacity": 0,
        "WarmPoolTerminatingRetainedCapacity": states.count(_S.WARMED_TERMINATING_RETAINED),
        "WarmPoolTotalCapacity": total,
        "GroupAndWarmPoolDesiredCapacity": memory.desired + size,
        "GroupAndWarmPoolTotalCapacity": values["GroupTotalInstances"] + total,
    }


GROUP_METRICS = (
    "GroupDesiredCapacity",
    "GroupMaxSize",
    "GroupMinSize",
    *(f"Group{name}{unit}" for name in COUNTED for unit in UNITS),
)
WARM_POOL_METRICS = (
    "WarmPoolMinSize",
    "WarmPoolDesiredCapacity",
    "WarmPoolWarmedCapacity",
    "WarmPoolPendingCapacity",
    "WarmPoolTerminatingCapacity",
    "WarmPoolPendingRetainedCapacity",
    "WarmPoolTerminatingRetainedCapacity",
    "WarmPoolTotalCapacity",
    "GroupAndWarmPoolDesiredCapacity",
    "GroupAndWarmPoolTotalCapacity",
)
"""Metrics that only a group with a warm pool publishes."""
