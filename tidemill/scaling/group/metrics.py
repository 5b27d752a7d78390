"""Group metrics: their names, and their values for the metrics that a group enables.

Source: EC2 Auto Scaling User Guide, "Amazon CloudWatch metrics for Amazon EC2 Auto Scaling".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.group.lifecycle import (
    PENDING_STATES,
    PREPARED,
    PREPARING,
    TERMINATING_STATES,
    WARM,
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
    return {
        "GroupDesiredCapacity": memory.desired,
        "GroupInServiceInstances": states.count(_S.IN_SERVICE),
        "GroupMaxSize": high,
        "GroupMinSize": low,
        "GroupPendingInstances": sum(state in PENDING_STATES for state in states),
        "GroupStandbyInstances": states.count(_S.STANDBY),
        "GroupTerminatingInstances": sum(state in _OUT for state in states),
        "GroupTotalInstances": sum(state not in WARM | _POOL_OUT for state in states),
    }


def _pool_values(group: Group, memory: GroupMemory, values: dict[str, int]) -> dict[str, int]:
    states = [item.state for item in memory.instances]
    total = sum(state in WARM | _POOL_OUT for state in states)
    size = pool_size(group, memory)
    return {
        "WarmPoolDesiredCapacity": size,
        "WarmPoolWarmedCapacity": sum(state in PREPARED for state in states),
        "WarmPoolPendingCapacity": sum(state in PREPARING for state in states),
        "WarmPoolTerminatingCapacity": sum(state in _POOL_OUT for state in states),
        "WarmPoolTotalCapacity": total,
        "GroupAndWarmPoolDesiredCapacity": memory.desired + size,
        "GroupAndWarmPoolTotalCapacity": values["GroupTotalInstances"] + total,
    }


GROUP_METRICS = (
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupMaxSize",
    "GroupMinSize",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
)
WARM_POOL_METRICS = (
    "WarmPoolDesiredCapacity",
    "WarmPoolWarmedCapacity",
    "WarmPoolPendingCapacity",
    "WarmPoolTerminatingCapacity",
    "WarmPoolTotalCapacity",
    "GroupAndWarmPoolDesiredCapacity",
    "GroupAndWarmPoolTotalCapacity",
)
"""Metrics that only a group with a warm pool publishes."""
