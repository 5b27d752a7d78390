"""Unhealthy instances: how many are replaced at a time, in which order, and when none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.fleets import DRAIN, a_fleet, a_group
from support.fakes.worlds import MINUTE, Run

from tidemill.scaling.errors import RequestError
from tidemill.scaling.facts import ActivityStarted
from tidemill.scaling.group.health import healthy_range
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Instance
from tidemill.scaling.group.reconcile import reconcile, replace_unhealthy
from tidemill.scaling.group.transitions import booted
from tidemill.scaling.requests.apply import apply
from tidemill.scaling.requests.commands import SetInstanceHealth
from tidemill.scaling.spec import MaintenancePolicy

NOW = 1_750_000_020.0
MARKED = "a user health-check"
WHY = "an EC2 instance status check failure"
LAUNCH_FIRST = MaintenancePolicy(100, 110)


def a_memory(count: int, unhealthy: int, why: str = WHY) -> GroupMemory:
    """Return a group of so many instances in service, of which some are unhealthy."""
    return GroupMemory(
        count,
        tuple(
            Instance(
                f"i-{number:02}",
                LifecycleState.IN_SERVICE,
                NOW,
                NOW,
                unhealthy=why if number < unhealthy else "",
            )
            for number in range(count)
        ),
        launched=count,
        cause="a policy's",
    )


@pytest.mark.parametrize(
    ("count", "unhealthy", "gone"), [(1, 1, 1), (5, 3, 1), (20, 5, 2), (100, 3, 3)]
)
def test_a_tenth_is_replaced_at_a_time_and_one_at_least(
    count: int, unhealthy: int, gone: int
) -> None:
    """Replacements are launched at once, and without a policy as their cause."""
    step = replace_unhealthy(a_group(), a_memory(count, unhealthy), NOW)
    assert len(step.terminate) == gone
    group = a_group(max_size=count)
    again = reconcile(group, step.memory, NOW)
    assert len(again.launch) == gone
    (activity, *_) = (fact for fact in step.facts if isinstance(fact, ActivityStarted))
    assert activity.cause.endswith(f"was taken out of service in response to {WHY}.")
    assert "a policy's" not in again.facts[0].cause  # type: ignore[union-attr]  # the first fact is an activity
    assert replace_unhealthy(group, again.memory, NOW).terminate == ()


def test_instances_that_a_user_has_marked_are_replaced_immediately() -> None:
    """All of them at once, and without regard to warm-up; a maintenance policy limits them."""
    memory = a_memory(20, 5, MARKED)
    assert len(replace_unhealthy(a_group(), memory, NOW).terminate) == 5
    assert len(replace_unhealthy(a_group(default_warmup=300), memory, NOW).terminate) == 5
    limited = a_group(maintenance=MaintenancePolicy(90, 100))
    assert len(replace_unhealthy(limited, memory, NOW).terminate) == 2


def test_new_instances_warm_up_before_the_next_tenth_is_replaced() -> None:
    """Of 20, 18 stay ready: two replacements that still warm up hold the next two back."""
    group = a_group(max_size=20, default_warmup=300)
    step = replace_unhealthy(group, a_memory(20, 5), NOW + 300)
    assert len(step.terminate) == 2
    again = reconcile(group, step.memory, NOW + 300)
    for launched in again.launch:
        again = again.then(booted(group, again.memory, launched, NOW + 330))
    assert replace_unhealthy(group, again.memory, NOW + 629).terminate == ()
    assert len(replace_unhealthy(group, again.memory, NOW + 630).terminate) == 2


@pytest.mark.parametrize(
    ("policy", "first", "launched"),
    [
        pytest.param(MaintenancePolicy(100, 110), 0, 10, id="launch-before-terminating"),
        pytest.param(MaintenancePolicy(90, 100), 10, 10, id="terminate-and-launch"),
        pytest.param(MaintenancePolicy(90, 120), 10, 30, id="custom"),
    ],
)
def test_a_maintenance_policy_keeps_the_group_in_its_range(
    policy: MaintenancePolicy, first: int, launched: int
) -> None:
    """The page's example: 90 % to 120 % of 100 instances are as few as 90 and as many as 120."""
    group = a_group(max_size=100, maintenance=policy)
    step = replace_unhealthy(group, a_memory(100, 30), NOW)
    assert len(step.terminate) == first
    after = reconcile(group, step.memory, NOW)
    assert len(after.launch) == launched
    low, high = healthy_range(policy, 100)
    assert low <= len(after.memory.serving())
    assert len(after.memory.wanted()) <= high


def test_hooks_hold_an_unhealthy_instance_as_any_other() -> None:
    """The instance is drained before it is terminated."""
    step = replace_unhealthy(a_group(hooks=(DRAIN,)), a_memory(2, 1), NOW)
    assert (step.drain, step.terminate) == (("i-00",), ())


def test_a_maintenance_policy_may_have_the_new_one_launched_first() -> None:
    """The old instance is terminated when enough others are in service."""
    group = a_group(maintenance=LAUNCH_FIRST, min_size=10, max_size=20)
    memory = a_memory(10, 1)
    assert replace_unhealthy(group, memory, NOW).terminate == ()
    step = reconcile(group, memory, NOW)
    assert len(step.launch) == 1
    serving = tuple(
        replace(item, state=LifecycleState.IN_SERVICE) for item in step.memory.instances
    )
    step = replace_unhealthy(group, replace(step.memory, instances=serving), NOW)
    assert step.terminate == ("i-00",)
    settled = reconcile(group, step.memory, NOW)
    assert (settled.launch, settled.terminate) == ((), ())


def test_a_replacement_is_ready_when_its_warm_up_is_over() -> None:
    """The sick instance stays until then: 300 s after the replacement's InService at 30 s."""
    maintenance = MaintenancePolicy(100, 200)
    group = a_group(maintenance=maintenance, max_size=4, default_warmup=300)
    step = reconcile(group, a_memory(1, 1), NOW)
    assert len(step.launch) == 1
    step = booted(group, step.memory, step.launch[0], NOW + 30)
    assert replace_unhealthy(group, step.memory, NOW + 130).terminate == ()
    assert replace_unhealthy(group, step.memory, NOW + 329).terminate == ()
    assert replace_unhealthy(group, step.memory, NOW + 330).terminate == ("i-00",)
    plain = replace(group, default_warmup=None)
    assert replace_unhealthy(plain, step.memory, NOW + 30).terminate == ("i-00",)


@pytest.mark.parametrize(
    ("percent", "desired", "bounds"),
    [((90, 120), 100, (90, 120)), ((90, 120), 10, (9, 12)), ((50, 150), 3, (2, 4))],
)
def test_a_maintenance_policy_is_in_percent_of_what_is_desired(
    percent: tuple[int, int], desired: int, bounds: tuple[int, int]
) -> None:
    """A fraction is rounded towards the desired capacity."""
    assert healthy_range(MaintenancePolicy(*percent), desired) == bounds


@pytest.mark.parametrize("process", ["ReplaceUnhealthy", "Terminate"])
def test_a_suspended_process_leaves_them_where_they_are(process: str) -> None:
    """Unhealthy instances are replaced when the process is resumed."""
    memory = replace(a_memory(2, 1), suspended={process: NOW})
    assert replace_unhealthy(a_group(), memory, NOW).memory == memory


def marked(
    *, age: float, grace: int, unhealthy: bool = True, respect: bool = True
) -> tuple[str, ...]:
    """Return why instances are unhealthy after a request for the one there is."""
    memory = a_memory(1, 0)
    memory = replace(memory, instances=(replace(memory.instances[0], in_service_at=NOW - age),))
    fleet = a_fleet(group=a_group(grace=grace))
    command = SetInstanceHealth("i-00", unhealthy=unhealthy, respect_grace=respect)
    return tuple(item.unhealthy for item in apply(fleet, memory, command, NOW).memory.instances)


def test_a_grace_period_protects_an_instance_from_a_request_that_respects_it() -> None:
    """The grace period counts from InService."""
    assert marked(age=10, grace=60) == ("",)
    assert marked(age=60, grace=60) == (MARKED,)
    assert marked(age=10, grace=60, respect=False) == (MARKED,)
    assert marked(age=60, grace=60, unhealthy=False) == ("",)


def test_the_health_of_a_stranger_cannot_be_set() -> None:
    """The error for an unknown instance is Auto Scaling's."""
    with pytest.raises(RequestError, match="No managed instance found for instance ID: i-9"):
        apply(a_fleet(), a_memory(1, 0), SetInstanceHealth("i-9", unhealthy=True), NOW)


def test_the_loop_replaces_an_unhealthy_instance() -> None:
    """The old instance drains, and a new one enters service."""
    run = Run(a_fleet(group=a_group(min_size=1, desired=1, hooks=(DRAIN,))))
    run.go(MINUTE)
    first = run.memory.group.instances[0].id
    command = SetInstanceHealth(first, unhealthy=True)
    applied = apply(run.fleet, run.memory.group, command, run.world.now)
    run.memory = replace(run.memory, group=applied.memory)
    run.go(2 * MINUTE)
    assert run.lives(first)[-2:] == ["Terminating:Proceed", "Terminated"]
    assert run.states() == ["InService"]
    assert ("drain", first) in run.world.orders


def test_new_instances_may_be_protected_from_when_they_are_in_service() -> None:
    """With NewInstancesProtectedFromScaleIn, scale-in finds no instance to terminate."""
    group = a_group(protects=True)
    pending = reconcile(group, GroupMemory(1), NOW)
    (one,) = pending.memory.instances
    assert not one.protected
    step = booted(group, pending.memory, one.id, NOW)
    assert step.memory.instances[0].protected
    assert reconcile(group, replace(step.memory, desired=0), NOW).terminate == ()
