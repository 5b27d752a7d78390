"""Instance lifecycle policy: instances that are retained when their termination is abandoned."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.fleets import DRAIN, a_fleet, a_group

from tidemill.scaling.errors import RequestError
from tidemill.scaling.facts import ActivityStarted
from tidemill.scaling.group.capacity import Capacity, capacity_of
from tidemill.scaling.group.hooks import ABANDON, CONTINUE, HookResult
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import Cooldown, GroupMemory, Instance, Step
from tidemill.scaling.group.metrics import GROUP_METRICS, WARM_POOL_METRICS, group_datapoints
from tidemill.scaling.group.reconcile import reconcile, replace_unhealthy
from tidemill.scaling.group.transitions import expire_hooks, hook_completed, vanished
from tidemill.scaling.requests.activities import record_activities
from tidemill.scaling.requests.apply import apply
from tidemill.scaling.requests.commands import DetachInstances, TerminateInstance
from tidemill.scaling.spec import Group, WarmPool

NOW = 1_750_000_020.0
SECOND = replace(DRAIN, name="second")
RETAINING = a_group(max_size=12, hooks=(DRAIN, SECOND), retains=True)


def ten_with_one_leaving(group: Group) -> Step:
    """Return a group of ten, of which a user has begun to terminate one for a replacement."""
    instances = tuple(
        Instance(f"i-{number}", LifecycleState.IN_SERVICE, NOW - 900, NOW - 900)
        for number in range(10)
    )
    memory = GroupMemory(10, instances, launched=10)
    command = TerminateInstance("i-0", should_decrement=False)
    applied = apply(a_fleet(group=group), memory, command, NOW)
    return Step(applied.memory, applied.facts)


def retained() -> Step:
    """Return that group after the termination has been abandoned."""
    step = ten_with_one_leaving(RETAINING)
    return step.then(hook_completed(RETAINING, step.memory, "i-0", NOW + 60, HookResult(ABANDON)))


def test_an_abandoned_termination_retains_the_instance_and_another_one_takes_its_place() -> None:
    """The page's example: with a desired capacity of 10, there are 11 running instances."""
    step = retained()
    assert step.memory.instances[0].state == "Terminating:Retained"
    assert (step.terminate, step.drain) == ((), ())
    settled = reconcile(RETAINING, step.memory, NOW + 60)
    assert len(settled.launch) == 1
    assert settled.memory.desired == 10
    assert len(settled.memory.instances) == 11
    assert len(settled.memory.wanted()) == 10
    assert capacity_of(step.memory, 300, NOW + 60) == Capacity(10, settled=9)
    assert not step.memory.in_progress()
    assert step.memory.cooldown == Cooldown(None, NOW + 60, open=False)


@pytest.mark.parametrize(
    ("group", "completed", "state"),
    [
        pytest.param(RETAINING, [(ABANDON, None)], "Terminating:Retained", id="abandon"),
        pytest.param(
            RETAINING,
            [(CONTINUE, "drain"), (ABANDON, "second")],
            "Terminating:Retained",
            id="the-second-abandons",
        ),
        pytest.param(
            RETAINING, [(ABANDON, "drain")], "Terminating:Retained", id="abandon-ends-the-others"
        ),
        pytest.param(
            RETAINING,
            [(CONTINUE, "drain"), (CONTINUE, "second")],
            "Terminating:Proceed",
            id="continue",
        ),
        pytest.param(
            replace(RETAINING, retains=False),
            [(ABANDON, None)],
            "Terminating:Proceed",
            id="without-a-policy",
        ),
    ],
)
def test_only_an_abandoned_hook_of_a_group_with_the_policy_retains(
    group: Group, completed: list[tuple[str, str | None]], state: str
) -> None:
    """With CONTINUE of all hooks, or without the policy, the instance is terminated."""
    step = ten_with_one_leaving(group)
    for result, hook in completed:
        step = hook_completed(group, step.memory, "i-0", NOW + 60, HookResult(result, hook))
    assert step.memory.instances[0].state == state
    assert bool(step.terminate) is (state == "Terminating:Proceed")


@pytest.mark.parametrize(
    ("default", "state"), [(ABANDON, "Terminating:Retained"), (CONTINUE, "Terminating:Proceed")]
)
def test_a_timeout_retains_if_the_hooks_default_result_is_abandon(default: str, state: str) -> None:
    """The heartbeat timeout and the global timeout complete a hook with its default result."""
    group = replace(RETAINING, hooks=(replace(DRAIN, default_result=default),))
    step = ten_with_one_leaving(group)
    until = NOW + DRAIN.heartbeat_timeout
    assert expire_hooks(group, step.memory, until - 1).memory == step.memory
    assert expire_hooks(group, step.memory, until).memory.instances[0].state == state


def test_without_a_termination_hook_the_policy_has_no_effect() -> None:
    """No hook holds the instance, so no hook can be abandoned."""
    step = ten_with_one_leaving(replace(RETAINING, hooks=()))
    assert step.memory.instances[0].state == "Terminating:Proceed"


def test_nothing_but_a_request_ends_a_retained_instance() -> None:
    """Neither scale-in nor health checks terminate it; hooks do not hold it again (assumed)."""
    memory = retained().memory
    sick = replace(memory.instances[0], unhealthy="a user health-check")
    assert replace_unhealthy(RETAINING, memory.with_instance(sick), NOW + 90).terminate == ()
    smaller = reconcile(RETAINING, replace(memory, desired=0), NOW + 90)
    assert smaller.memory.find("i-0") == memory.find("i-0")
    fleet = a_fleet(group=RETAINING)
    command = TerminateInstance("i-0", should_decrement=False)
    applied = apply(fleet, memory, command, NOW + 90)
    assert (applied.terminate, applied.drain) == (("i-0",), ())
    assert applied.memory.desired == 10
    assert applied.memory.instances[0].state == "Terminating:Proceed"


@pytest.mark.parametrize("command", [TerminateInstance, DetachInstances])
def test_a_retained_instance_is_not_decremented(
    command: type[TerminateInstance | DetachInstances],
) -> None:
    """It is no part of the desired capacity; for DetachInstances the page says so."""
    named = "i-0" if command is TerminateInstance else ("i-0",)
    with pytest.raises(RequestError, match="retained and no part of the desired capacity"):
        apply(a_fleet(group=RETAINING), retained().memory, command(named, True), NOW)  # type: ignore[arg-type]  # noqa: FBT003 - fields of either


def test_a_retained_instance_can_be_detached() -> None:
    """It leaves the group, and the desired capacity stays."""
    command = DetachInstances(("i-0",), should_decrement=False)
    applied = apply(a_fleet(group=RETAINING), retained().memory, command, NOW + 90)
    assert applied.memory.find("i-0") is None
    assert applied.memory.desired == 10


def test_a_retained_instance_that_ends_by_itself_is_removed() -> None:
    """A Spot interruption and a direct termination bypass the policy; nothing replaces it."""
    step = vanished(retained().memory, "i-0", "a Spot interruption", NOW + 90)
    assert step.memory.find("i-0") is None
    assert not [fact for fact in step.facts if isinstance(fact, ActivityStarted)]


def test_the_termination_is_cancelled_with_its_reason_and_the_next_one_succeeds() -> None:
    """AWS shows a cancelled activity, with a reason that tells of the hook's failure."""
    step = retained()
    (first,) = record_activities((), step.facts)
    assert (first.status, first.progress, first.end) == ("Cancelled", 100, NOW + 60)
    assert first.message.startswith("Instance failed to complete user's Lifecycle Action: ")
    assert first.message.endswith("was abandoned: Lifecycle Action Completed with ABANDON Result")
    command = TerminateInstance("i-0", should_decrement=False)
    again = apply(a_fleet(group=RETAINING), step.memory, command, NOW + 90)
    gone = vanished(again.memory, "i-0", "", NOW + 120)
    both = record_activities((first,), (*again.facts, *gone.facts))
    assert [activity.status for activity in both] == ["Cancelled", "Successful"]
    assert both[0].id != both[1].id
    assert both[1].end == NOW + 120


def test_metrics_count_retained_instances_apart() -> None:
    """Terminating does not include them; capacity units are instances here."""
    group = replace(RETAINING, metrics=frozenset(GROUP_METRICS))
    points = group_datapoints(group, retained().memory, NOW)
    values = {point.metric.name: point.values.total for point in points}
    assert set(values) == set(GROUP_METRICS)
    assert values["GroupTerminatingRetainedInstances"] == 1
    assert values["GroupTerminatingRetainedCapacity"] == 1
    assert values["GroupTerminatingInstances"] == 0
    assert values["GroupInServiceInstances"] == values["GroupInServiceCapacity"] == 9
    assert values["GroupTotalInstances"] == 10


def test_an_instance_of_the_warm_pool_is_retained_as_well() -> None:
    """It counts neither for the group nor for the size of the pool."""
    group = replace(
        RETAINING,
        max_size=1,
        warm_pool=WarmPool(),
        metrics=frozenset(WARM_POOL_METRICS),
    )
    pool = tuple(Instance(f"i-{n}", LifecycleState.WARMED_STOPPED, NOW - n) for n in range(2))
    step = reconcile(group, GroupMemory(0, pool), NOW)
    assert step.drain == ("i-1",)
    step = hook_completed(group, step.memory, "i-1", NOW, HookResult(ABANDON))
    assert [item.state for item in step.memory.instances] == [
        "Warmed:Stopped",
        "Warmed:Terminating:Retained",
    ]
    assert reconcile(group, step.memory, NOW).memory == step.memory
    values = {one.metric.name: one.values.total for one in group_datapoints(group, step.memory, 0)}
    assert values["WarmPoolTerminatingRetainedCapacity"] == 1
    assert values["WarmPoolTerminatingCapacity"] == 0
    assert values["WarmPoolTotalCapacity"] == 2
    command = TerminateInstance("i-1", should_decrement=False)
    assert apply(a_fleet(group=group), step.memory, command, NOW).terminate == ("i-1",)
