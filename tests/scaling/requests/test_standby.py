"""Standby and detaching: instances that leave service, their replacements, and the return."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.fleets import DRAIN, a_fleet, a_group

from tidemill.scaling.errors import RequestError
from tidemill.scaling.facts import InstanceChanged
from tidemill.scaling.group.capacity import Capacity, capacity_of
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Instance
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.transitions import replace_vanished, vanished
from tidemill.scaling.requests.activities import record_activities
from tidemill.scaling.requests.apply import apply
from tidemill.scaling.requests.commands import (
    Command,
    DetachInstances,
    EnterStandby,
    ExitStandby,
    TerminateInstance,
)

NOW = 1_750_000_020.0
FLEET = a_fleet(group=a_group(min_size=1, max_size=3))


def a_memory(*states: LifecycleState) -> GroupMemory:
    """Return a group that wants what it has in service, of instances in these states."""
    instances = tuple(
        Instance(f"i-{number}", state, NOW, NOW) for number, state in enumerate(states)
    )
    wanted = sum(state is LifecycleState.IN_SERVICE for state in states)
    return GroupMemory(wanted, instances, launched=len(states), cause="a policy's")


BOTH = a_memory(LifecycleState.IN_SERVICE, LifecycleState.IN_SERVICE)
RESTING = a_memory(LifecycleState.IN_SERVICE, LifecycleState.STANDBY)


def after(memory: GroupMemory, command: Command) -> GroupMemory:
    """Return the group after a request."""
    return apply(FLEET, memory, command, NOW).memory


def test_an_instance_on_standby_does_not_count() -> None:
    """The desired capacity is one lower, and no instance is launched."""
    memory = after(BOTH, EnterStandby(("i-1",), should_decrement=True))
    assert [item.state for item in memory.instances] == ["InService", "Standby"]
    assert memory.desired == 1
    assert capacity_of(memory, 0, NOW) == Capacity(1, 1)
    assert reconcile(FLEET.group, memory, NOW).launch == ()


def test_without_a_decrement_another_one_takes_its_place() -> None:
    """The launch that replaces it names no policy."""
    memory = after(BOTH, EnterStandby(("i-1",), should_decrement=False))
    assert (memory.desired, memory.cause) == (2, "")
    assert len(reconcile(FLEET.group, memory, NOW).launch) == 1


def test_from_standby_it_comes_back_into_service() -> None:
    """The desired capacity is one higher."""
    memory = after(RESTING, ExitStandby(("i-1",)))
    assert [item.state for item in memory.instances] == ["InService"] * 2
    assert memory.desired == 2


def test_a_detached_instance_is_no_business_of_the_groups() -> None:
    """The instance keeps running; the change is a fact."""
    applied = apply(FLEET, BOTH, DetachInstances(("i-0",), should_decrement=True), NOW)
    assert [item.id for item in applied.memory.instances] == ["i-1"]
    assert (applied.memory.desired, applied.terminate) == (1, ())
    assert InstanceChanged(NOW, "i-0", "Detached") in applied.facts


def test_a_decrement_for_one_that_is_detached_from_standby_terminates_another() -> None:
    """It was no capacity, but the desired capacity is decremented; AWS's page warns of it."""
    both = a_memory(*[LifecycleState.IN_SERVICE] * 2, LifecycleState.STANDBY)
    memory = after(both, DetachInstances(("i-2",), should_decrement=True))
    assert memory.desired == 1
    assert len(reconcile(FLEET.group, memory, NOW).terminate) == 1
    assert after(both, DetachInstances(("i-2",), should_decrement=False)).desired == 2


@pytest.mark.parametrize("suspended", [("Launch",), ("Terminate",), ("Launch", "Terminate")])
def test_suspended_processes_stop_the_return_from_standby_only(suspended: tuple[str, ...]) -> None:
    """While Launch is suspended, no instance exits standby; all may enter it, or be detached."""
    resting = replace(RESTING, suspended=dict.fromkeys(suspended, NOW))
    if "Launch" in suspended:
        with pytest.raises(RequestError, match="process Launch is suspended"):
            apply(FLEET, resting, ExitStandby(("i-1",)), NOW)
    else:
        assert after(resting, ExitStandby(("i-1",))).desired == 2
    serving = replace(BOTH, suspended=dict.fromkeys(suspended, NOW))
    entered = after(serving, EnterStandby(("i-1",), should_decrement=True))
    assert entered.instances[1].state == "Standby"
    assert len(after(serving, DetachInstances(("i-1",), should_decrement=True)).instances) == 1


def test_an_instance_that_ends_on_standby_is_noticed_when_it_returns() -> None:
    """Its health is not checked before that; then it is replaced."""
    lost = vanished(RESTING, "i-1", "killed", NOW).memory
    assert [item.state for item in lost.instances] == ["InService", "Standby"]
    assert replace_vanished(lost, NOW + 60).memory == lost
    back = after(lost, ExitStandby(("i-1",)))
    step = replace_vanished(back, NOW + 120)
    assert [item.id for item in step.memory.instances] == ["i-0"]
    assert len(reconcile(FLEET.group, step.memory, NOW + 120).launch) == 1


def test_an_instance_on_standby_can_be_terminated() -> None:
    """The group neither replaces it nor counts it."""
    applied = apply(FLEET, RESTING, TerminateInstance("i-1", should_decrement=False), NOW)
    assert applied.terminate == ("i-1",)
    assert reconcile(FLEET.group, applied.memory, NOW).launch == ()


@pytest.mark.parametrize(
    ("memory", "command", "text"),
    [
        pytest.param(
            BOTH, EnterStandby(("i-9",), should_decrement=True), "not part of", id="a-stranger"
        ),
        pytest.param(
            RESTING, EnterStandby(("i-1",), should_decrement=True), "not in InService", id="resting"
        ),
        pytest.param(BOTH, ExitStandby(("i-1",)), "i-1 is not in Standby", id="serving"),
        pytest.param(
            BOTH,
            EnterStandby(("i-0", "i-1"), should_decrement=True),
            "desired capacity would be 0,",
            id="too-few",
        ),
        pytest.param(
            a_memory(*[LifecycleState.IN_SERVICE] * 3, LifecycleState.STANDBY),
            ExitStandby(("i-3",)),
            "desired capacity would be 4,",
            id="too-many",
        ),
    ],
)
def test_what_auto_scaling_would_refuse_is_refused(
    memory: GroupMemory, command: Command, text: str
) -> None:
    """A refused request changes nothing."""
    with pytest.raises(RequestError, match=text):
        apply(FLEET, memory, command, NOW)


def test_no_hook_holds_an_instance_on_its_way_to_standby_and_back() -> None:
    """Lifecycle hooks do not apply to standby, nor to detaching."""
    hooks = (DRAIN, replace(DRAIN, name="hold", transition="autoscaling:EC2_INSTANCE_LAUNCHING"))
    fleet = replace(FLEET, group=replace(FLEET.group, hooks=hooks))
    resting = apply(fleet, BOTH, EnterStandby(("i-1",), should_decrement=True), NOW).memory
    assert resting.instances[1].state == "Standby"
    back = apply(fleet, resting, ExitStandby(("i-1",)), NOW).memory
    assert back.instances[1].state == "InService"
    left = apply(fleet, back, DetachInstances(("i-1",), should_decrement=True), NOW).memory
    assert left.find("i-1") is None


def test_the_activities_of_a_request_count_the_capacity_down_one_by_one() -> None:
    """Their words are those of AWS's example; an instance may move more than once."""
    three = a_memory(*[LifecycleState.IN_SERVICE] * 3)
    command = EnterStandby(("i-1", "i-2"), should_decrement=True)
    applied = apply(FLEET, three, command, NOW)
    entered = record_activities((), applied.facts)
    assert [activity.cause for activity in entered] == [
        f"At 2025-06-15T15:07:00Z instance {instance} was moved to standby in response to a user "
        f"request, shrinking the capacity from {before} to {before - 1}."
        for instance, before in (("i-1", 3), ("i-2", 2))
    ]
    back = apply(FLEET, applied.memory, ExitStandby(("i-1",)), NOW + 60)
    both = record_activities(entered, back.facts)
    assert both[-1].description == "Moving EC2 instance out of Standby: i-1"
    assert both[-1].cause.endswith("increasing the capacity from 1 to 2.")
    assert len({activity.id for activity in both}) == 3
    assert {activity.status for activity in both} == {"Successful"}
