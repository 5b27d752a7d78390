"""Reconciliation: instances through their lifecycle, up to the desired capacity."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.fleets import DRAIN, a_group
from support.builders.histories import EVENTS, HistoryEvent, history

from tidemill.scaling.facts import ActivityStarted, InstanceChanged
from tidemill.scaling.group.capacity import Capacity, capacity_of
from tidemill.scaling.group.hooks import ABANDON, CONTINUE, LAUNCHING, HookResult
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import Cooldown, GroupMemory, Hold, Instance, Step
from tidemill.scaling.group.metrics import group_datapoints
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.termination import choose_for_termination
from tidemill.scaling.group.transitions import booted, expire_hooks, hook_completed, vanished
from tidemill.scaling.spec import LifecycleHook

NOW = 1_750_000_020.0
CAUSE = "At 2025-06-15T15:07:00Z an alarm said so."
HOLD = LifecycleHook("hold", LAUNCHING, heartbeat_timeout=60, default_result=ABANDON)
IN_SERVICE = Instance("i-1", LifecycleState.IN_SERVICE, NOW, in_service_at=NOW)
PENDING = Instance("i-2", LifecycleState.PENDING, NOW)
HELD_IN = Instance("i-3", LifecycleState.PENDING_WAIT, NOW, holds=(Hold("hold", NOW + 60),))
HELD_OUT = Instance("i-4", LifecycleState.TERMINATING_WAIT, NOW, holds=(Hold("drain", NOW + 60),))
GOING = Instance("i-5", LifecycleState.TERMINATING_PROCEED, NOW)


def states(step: Step) -> list[str]:
    """Return the states of the instances after a step."""
    return [instance.state for instance in step.memory.instances]


def activities(step: Step) -> list[ActivityStarted]:
    """Return the activities that a step started."""
    return [fact for fact in step.facts if isinstance(fact, ActivityStarted)]


def test_reconciling_launches_what_is_missing_with_its_cause() -> None:
    """Each launch has its own id, and its cause has the capacity before and after."""
    step = reconcile(a_group(), GroupMemory(desired=2, cause=CAUSE), NOW)
    assert step.launch == ("i-00000000000000001", "i-00000000000000002")
    assert states(step) == ["Pending", "Pending"]
    assert [activity.cause for activity in activities(step)] == [
        f"{CAUSE}  At 2025-06-15T15:07:00Z an instance was started in response to a difference "
        f"between desired and actual capacity, increasing the capacity from {number} to "
        f"{number + 1}."
        for number in range(2)
    ]
    assert activities(step)[0].description == "Launching a new EC2 instance: i-00000000000000001"


def test_the_first_launches_are_caused_by_the_creation_of_the_group() -> None:
    """The words are those of the user guide's example; a group of 0 has no cause."""
    group = a_group(desired=1)
    step = reconcile(group, GroupMemory.of_new_group(group, NOW), NOW)
    assert activities(step)[0].cause == (
        "At 2025-06-15T15:07:00Z a user request created an AutoScalingGroup changing the desired "
        "capacity from 0 to 1.  At 2025-06-15T15:07:00Z an instance was started in response to a "
        "difference between desired and actual capacity, increasing the capacity from 0 to 1."
    )
    assert GroupMemory.of_new_group(a_group(), NOW) == GroupMemory(0)


def test_reconciling_takes_the_oldest_first() -> None:
    """Without a hook the instance is terminated at once."""
    older = replace(IN_SERVICE, id="i-0", launched_at=NOW - 1)
    memory = GroupMemory(desired=1, instances=(IN_SERVICE, older))
    assert choose_for_termination(memory) == older
    step = reconcile(a_group(), memory, NOW)
    assert (step.terminate, step.drain) == (("i-0",), ())
    assert states(step) == ["InService", "Terminating:Proceed"]
    assert activities(step)[0].description == "Terminating EC2 instance: i-0"
    assert activities(step)[0].cause == (
        "At 2025-06-15T15:07:00Z an instance was taken out of service in response to a difference "
        "between desired and actual capacity, shrinking the capacity from 2 to 1.  At "
        "2025-06-15T15:07:00Z instance i-0 was selected for termination."
    )


def test_reconciling_lets_the_hook_hold_what_has_to_go() -> None:
    """The instance drains until the heartbeat timeout at the latest."""
    memory = GroupMemory(desired=0, instances=(IN_SERVICE,))
    step = reconcile(a_group(hooks=(DRAIN,)), memory, NOW)
    assert (step.drain, step.terminate) == (("i-1",), ())
    assert step.memory.instances[0].hook_until == NOW + DRAIN.heartbeat_timeout
    assert step.facts[-1] == InstanceChanged(NOW, "i-1", "Terminating:Wait", "hook drain")


def test_reconciling_counts_pending_instances_and_none_that_leave() -> None:
    """Pending instances count as capacity, terminating ones do not."""
    memory = GroupMemory(desired=3, instances=(IN_SERVICE, PENDING, HELD_IN, HELD_OUT, GOING))
    assert reconcile(a_group(), memory, NOW) == Step(memory)


@pytest.mark.parametrize(
    ("hooks", "state"),
    [
        pytest.param((), "InService", id="no-hook"),
        pytest.param((DRAIN,), "InService", id="a-hook-for-leaving"),
        pytest.param((HOLD,), "Pending:Wait", id="a-hook-for-launching"),
    ],
)
def test_an_instance_that_runs_comes_into_service_unless_a_hook_holds_it(
    hooks: tuple[LifecycleHook, ...], state: str
) -> None:
    """Only a hook for launching holds it."""
    memory = GroupMemory(desired=1, instances=(PENDING,))
    assert states(booted(a_group(hooks=hooks), memory, "i-2", NOW)) == [state]


@pytest.mark.parametrize("instance", [IN_SERVICE, HELD_IN, HELD_OUT, GOING], ids=lambda i: i.state)
def test_only_a_pending_instance_boots(instance: Instance) -> None:
    """A terminating instance does not enter service."""
    memory = GroupMemory(desired=1, instances=(instance,))
    assert booted(a_group(), memory, instance.id, NOW) == Step(memory)


@pytest.mark.parametrize(
    ("instance", "result", "state"),
    [
        pytest.param(HELD_IN, CONTINUE, "InService", id="launch-continues"),
        pytest.param(HELD_IN, ABANDON, "Terminating:Proceed", id="launch-abandoned"),
        pytest.param(HELD_OUT, CONTINUE, "Terminating:Proceed", id="termination-continues"),
        pytest.param(HELD_OUT, ABANDON, "Terminating:Proceed", id="termination-abandoned"),
    ],
)
def test_a_completed_hook_lets_go_of_an_instance(
    instance: Instance, result: str, state: str
) -> None:
    """A termination proceeds with both results, a launch only with CONTINUE."""
    memory = GroupMemory(desired=0, instances=(instance,))
    step = hook_completed(a_group(), memory, instance.id, NOW, HookResult(result))
    assert states(step) == [state]
    assert step.memory.instances[0].hook_until is None
    assert step.terminate == ((instance.id,) if state == "Terminating:Proceed" else ())


@pytest.mark.parametrize("instance", [IN_SERVICE, PENDING, GOING], ids=lambda i: i.state)
def test_completing_a_hook_that_holds_nothing_does_nothing(instance: Instance) -> None:
    """A late or repeated completion is harmless."""
    memory = GroupMemory(desired=1, instances=(instance,))
    assert hook_completed(a_group(), memory, instance.id, NOW) == Step(memory)


@pytest.mark.parametrize(
    ("instance", "hook", "state"),
    [
        pytest.param(HELD_IN, HOLD, "Terminating:Proceed", id="launch-abandons"),
        pytest.param(
            HELD_IN, replace(HOLD, default_result=CONTINUE), "InService", id="launch-continues"
        ),
        pytest.param(HELD_OUT, DRAIN, "Terminating:Proceed", id="termination-continues"),
        pytest.param(
            HELD_OUT,
            replace(DRAIN, default_result=ABANDON),
            "Terminating:Proceed",
            id="or-abandons",
        ),
    ],
)
def test_a_hook_times_out_with_its_default_result(
    instance: Instance, hook: LifecycleHook, state: str
) -> None:
    """It does so at its timeout, not before, and the fact says that it timed out."""
    group = a_group(hooks=(hook,))
    memory = GroupMemory(desired=1, instances=(instance,))
    assert expire_hooks(group, memory, NOW + 59.9) == Step(memory)
    step = expire_hooks(group, memory, NOW + 60)
    assert states(step) == [state]
    assert step.facts == (InstanceChanged(NOW + 60, instance.id, state, "the hook timed out"),)


def test_an_abandoned_launch_is_replaced_and_not_for_the_policys_reason() -> None:
    """The cause of the next launch names no policy."""
    memory = GroupMemory(desired=1, instances=(HELD_IN,), launched=3, cause=CAUSE)
    step = expire_hooks(a_group(hooks=(HOLD,)), memory, NOW + 60)
    again = reconcile(a_group(hooks=(HOLD,)), step.memory, NOW + 60)
    assert again.launch == ("i-00000000000000004",)
    assert activities(again)[0].cause.startswith("At 2025-06-15T15:08:00Z an instance was started")


def test_an_instance_that_vanishes_starts_an_activity_of_its_own() -> None:
    """Its termination is due to its health, and the next launch names no policy."""
    memory = GroupMemory(desired=1, instances=(IN_SERVICE,), cause=CAUSE)
    step = vanished(memory, "i-1", "spot interruption", NOW)
    assert step.memory == GroupMemory(desired=1, cooldown=Cooldown(None, NOW, open=False))
    assert "in response to an EC2 health check" in activities(step)[0].cause
    assert step.facts[-1] == InstanceChanged(NOW, "i-1", "Terminated", "spot interruption")


@pytest.mark.parametrize("instance", [HELD_OUT, GOING], ids=lambda i: i.state)
def test_an_instance_that_was_terminating_is_just_removed(instance: Instance) -> None:
    """Its termination activity has already started."""
    step = vanished(GroupMemory(desired=0, instances=(instance,)), instance.id, "", NOW)
    assert step.facts == (InstanceChanged(NOW, instance.id, "Terminated"),)


def test_news_of_an_unknown_instance_changes_nothing() -> None:
    """The event may be about an instance that the group has already removed."""
    memory = GroupMemory(desired=1, instances=(IN_SERVICE,))
    for step in (
        vanished(memory, "i-9", "", NOW),
        booted(a_group(), memory, "i-9", NOW),
        hook_completed(a_group(), memory, "i-9", NOW),
    ):
        assert step == Step(memory)


@pytest.mark.parametrize(
    ("age", "settled"),
    [pytest.param(59.9, 0, id="warming-up"), pytest.param(60, 1, id="past-its-warm-up")],
)
def test_a_policy_sees_an_instance_as_settled_after_its_warm_up(age: float, settled: int) -> None:
    """Warm-up counts from InService; pending instances are warming."""
    instances = (replace(IN_SERVICE, in_service_at=NOW - age), PENDING, HELD_IN, HELD_OUT, GOING)
    seen = capacity_of(GroupMemory(desired=3, instances=instances), 60, NOW)
    assert seen == Capacity(desired=3, settled=settled, warming=3 - settled, terminating=2)


def test_group_metrics_are_published_as_far_as_they_are_turned_on() -> None:
    """Pending and terminating instances are not in service."""
    everything = frozenset(
        f"Group{name}"
        for name in (
            "DesiredCapacity",
            "InServiceInstances",
            "MaxSize",
            "MinSize",
            "PendingInstances",
            "TerminatingInstances",
            "TotalInstances",
        )
    )
    memory = GroupMemory(desired=3, instances=(IN_SERVICE, PENDING, HELD_IN, HELD_OUT, GOING))
    points = list(group_datapoints(a_group(metrics=everything), memory, NOW))
    assert {point.metric.name.removeprefix("Group"): point.values.total for point in points} == {
        "DesiredCapacity": 3,
        "InServiceInstances": 1,
        "MaxSize": 10,
        "MinSize": 0,
        "PendingInstances": 2,
        "TerminatingInstances": 2,
        "TotalInstances": 5,
    }
    assert {point.metric.dimensions for point in points} == {(("AutoScalingGroupName", "workers"),)}
    assert list(group_datapoints(a_group(metrics=frozenset()), memory, NOW)) == []


HOOKS = st.sampled_from([(), (DRAIN,), (HOLD,), (DRAIN, HOLD)])


@given(EVENTS, HOOKS)
def test_no_instance_is_lost_or_ended_twice(
    events: list[HistoryEvent], hooks: tuple[LifecycleHook, ...]
) -> None:
    """In any sequence of events, launched = existing + terminated instances."""
    group = a_group(hooks=hooks)
    start = step = Step(GroupMemory(desired=0))
    gone_for_good = 0
    for name, chosen, step in history(group, start, events, NOW):
        gone_for_good += bool(chosen) and name == "vanish"
        assert len(step.memory.wanted()) == step.memory.desired
    assert step.memory.launched == len(step.memory.instances) + gone_for_good
    assert len(set(step.launch)) == len(step.launch) == step.memory.launched
    assert len(set(step.drain)) == len(step.drain)
    assert len(set(step.terminate)) == len(step.terminate)
