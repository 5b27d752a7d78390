"""Warm pool: its size, the states in it, and the instance that a scale-out uses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.fleets import DRAIN, a_group

from tidemill.scaling.group.capacity import Capacity, capacity_of
from tidemill.scaling.group.hooks import ABANDON, LAUNCHING
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Instance, Step
from tidemill.scaling.group.metrics import WARM_POOL_METRICS, group_datapoints
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.transitions import booted, expire_hooks, vanished
from tidemill.scaling.group.warm_pool import pool_size
from tidemill.scaling.requests.activities import record_activities
from tidemill.scaling.spec import Group, LifecycleHook, WarmPool

NOW = 1_750_000_020.0
FIRST, SECOND = "i-00000000000000001", "i-00000000000000002"
HOLD = LifecycleHook("hold", LAUNCHING, heartbeat_timeout=60, default_result=ABANDON)


def pooled(state: str = "Stopped", **changes: int) -> Group:
    """Return a group of at most 2 with a warm pool."""
    return a_group(max_size=2, warm_pool=WarmPool(state=state), **changes)


def prepared(group: Group) -> Step:
    """Return a group at 0 whose pool of two is ready."""
    step = reconcile(group, GroupMemory(0), NOW)
    for instance in step.launch:
        step = step.then(booted(group, step.memory, instance, NOW + 30))
    return step


def states(step: Step) -> list[str]:
    """Return the states of the instances after a step."""
    return [item.state for item in step.memory.instances]


@pytest.mark.parametrize(
    ("most", "desired", "pool", "size"),
    [
        (10, 6, WarmPool(), 4),
        (10, 6, WarmPool(max_prepared=8), 2),
        (1500, 1000, WarmPool(max_prepared=1100), 100),
        (10, 10, WarmPool(), 0),
        (10, 6, WarmPool(max_prepared=3), 0),
        (10, 10, WarmPool(min_size=2), 2),
    ],
)
def test_a_pool_holds_the_rest_up_to_the_most(
    most: int, desired: int, pool: WarmPool, size: int
) -> None:
    """The rest counts to the maximum or MaxGroupPreparedCapacity, MinSize at least."""
    assert pool_size(a_group(max_size=most, warm_pool=pool), GroupMemory(desired)) == size


def test_a_group_without_a_pool_prepares_nothing() -> None:
    """The size of its pool is 0."""
    assert pool_size(a_group(), GroupMemory(0)) == 0


@pytest.mark.parametrize(
    ("state", "waits", "stopped"),
    [
        ("Stopped", "Warmed:Stopped", (FIRST, SECOND)),
        ("Hibernated", "Warmed:Hibernated", (FIRST, SECOND)),
        ("Running", "Warmed:Running", ()),
    ],
)
def test_a_prepared_instance_waits_in_the_pools_state(
    state: str, waits: str, stopped: tuple[str, ...]
) -> None:
    """The world stops it unless the pool keeps it running; it is no capacity."""
    step = prepared(pooled(state))
    assert states(step) == [waits, waits]
    assert step.stop == stopped
    assert capacity_of(step.memory, 0, NOW) == Capacity(0, 0)
    assert [activity.status for activity in record_activities((), step.facts)] == ["Successful"] * 2


def test_a_scale_out_takes_what_has_waited_longest() -> None:
    """The instance is started again, and the pool is not refilled above its size."""
    group = pooled()
    step = prepared(group)
    step = reconcile(group, replace(step.memory, desired=1), NOW + 60)
    assert step.launch == (FIRST,)
    assert states(step) == ["Pending", "Warmed:Stopped"]
    description = step.facts[0].description  # type: ignore[union-attr]  # the first fact is an activity
    assert description == f"Launching a new EC2 instance from warm pool: {FIRST}"
    assert states(booted(group, step.memory, FIRST, NOW + 70)) == ["InService", "Warmed:Stopped"]


def test_an_instance_that_runs_in_the_pool_is_in_service_at_once() -> None:
    """It need not be started."""
    group = pooled("Running")
    step = reconcile(group, replace(prepared(group).memory, desired=1), NOW + 60)
    assert step.launch == ()
    assert states(step) == ["InService", "Warmed:Running"]


def test_a_scale_out_beyond_the_pool_launches_anew() -> None:
    """It does not wait for instances that are still being prepared."""
    group = pooled()
    step = reconcile(group, GroupMemory(0), NOW)
    step = reconcile(group, replace(step.memory, desired=1), NOW + 1)
    assert states(step) == ["Warmed:Terminating:Proceed", "Warmed:Pending", "Pending"]


def test_a_pool_that_is_too_large_follows_the_default_termination_policy() -> None:
    """The oldest launch template comes first, then the instance closest to its billing hour."""
    group = a_group(max_size=1, warm_pool=WarmPool())
    aged = tuple(
        Instance(name, LifecycleState.WARMED_STOPPED, NOW - 60 * minutes, outdated=outdated)
        for name, minutes, outdated in (("a", 70, 0), ("b", 50, 0), ("c", 20, 1))
    )
    step = reconcile(group, GroupMemory(0, aged), NOW)
    assert step.terminate == ("c", "b")


def test_a_pool_that_is_too_large_gives_from_its_fullest_zone() -> None:
    """The balance of zones has precedence over the termination policy."""
    group = a_group(max_size=3, warm_pool=WarmPool())
    pool = tuple(
        Instance(f"{zone}{number}", LifecycleState.WARMED_STOPPED, NOW - number, zone=zone)
        for zone, count in (("a", 1), ("b", 3))
        for number in range(count)
    )
    step = reconcile(group, GroupMemory(0, pool), NOW)
    assert step.terminate == ("b2",)


def test_hooks_hold_what_comes_into_the_pool_and_goes_from_it() -> None:
    """A launch into the pool that is abandoned is replaced."""
    group = replace(pooled(), hooks=(HOLD, DRAIN))
    step = prepared(group)
    assert states(step) == ["Warmed:Pending:Wait"] * 2
    step = expire_hooks(group, step.memory, NOW + 90)
    assert step.terminate == (FIRST, SECOND)
    assert len(reconcile(group, step.memory, NOW + 90).launch) == 2


@pytest.mark.parametrize("state", ["Stopped", "Running", "Hibernated"])
def test_launch_hooks_hold_an_instance_of_the_pool_twice(state: str) -> None:
    """First at Warmed:Pending:Wait, and then again at Pending:Wait."""
    group = replace(pooled(state), hooks=(replace(HOLD, default_result="CONTINUE"),))
    step = prepared(group)
    assert states(step) == ["Warmed:Pending:Wait"] * 2
    step = expire_hooks(group, step.memory, NOW + 90)
    assert states(step) == [f"Warmed:{state}"] * 2
    step = reconcile(group, replace(step.memory, desired=1), NOW + 100)
    step = booted(group, step.memory, FIRST, NOW + 110)
    assert states(step)[0] == "Pending:Wait"
    step = expire_hooks(group, step.memory, NOW + 170)
    assert states(step) == ["InService", f"Warmed:{state}"]


def test_launch_hooks_hold_an_instance_beside_the_pool_once() -> None:
    """A launch directly into the group pauses at Pending:Wait only."""
    group = replace(pooled(), hooks=(replace(HOLD, default_result="CONTINUE"),))
    step = reconcile(group, GroupMemory(2), NOW)
    step = booted(group, step.memory, FIRST, NOW + 30)
    assert states(step)[0] == "Pending:Wait"
    assert states(expire_hooks(group, step.memory, NOW + 90))[0] == "InService"


def test_one_that_is_lost_from_the_pool_is_replaced_there() -> None:
    """The instances of the group itself do not change."""
    group = pooled()
    step = vanished(prepared(group).memory, FIRST, "killed", NOW + 60)
    step = reconcile(group, step.memory, NOW + 60)
    assert states(step) == ["Warmed:Stopped", "Warmed:Pending"]


def test_the_pool_has_metrics_of_its_own() -> None:
    """They are published where MetricsCollection enables them."""
    group = replace(pooled(), metrics=frozenset(WARM_POOL_METRICS))
    memory = prepared(group).memory
    values = {
        point.metric.name: point.values.total for point in group_datapoints(group, memory, NOW)
    }
    assert values == {
        "WarmPoolMinSize": 0,
        "WarmPoolDesiredCapacity": 2,
        "WarmPoolWarmedCapacity": 2,
        "WarmPoolPendingCapacity": 0,
        "WarmPoolTerminatingCapacity": 0,
        "WarmPoolPendingRetainedCapacity": 0,
        "WarmPoolTerminatingRetainedCapacity": 0,
        "WarmPoolTotalCapacity": 2,
        "GroupAndWarmPoolDesiredCapacity": 2,
        "GroupAndWarmPoolTotalCapacity": 2,
    }
