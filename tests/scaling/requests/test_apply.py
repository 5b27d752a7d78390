"""Requests of users to the group: the effects of those that Auto Scaling fulfils."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.alarms import an_alarm
from support.builders.fleets import DRAIN, a_fleet, a_group, a_policy
from support.builders.requests import FLEET, GROUP, HOLD, NOW, PENDING, SERVING

from tidemill.scaling.errors import RequestError
from tidemill.scaling.facts import ActivityStarted, InstanceChanged, Noted
from tidemill.scaling.group.memory import PROCESSES, GroupMemory
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.transitions import booted, expire_hooks, vanished
from tidemill.scaling.requests import commands
from tidemill.scaling.requests.apply import apply
from tidemill.scaling.spec import AdjustmentType, Comparison, StepAdjustment

if TYPE_CHECKING:
    from tidemill.scaling.requests.commands import Command

STAMP = "2025-06-15T15:07:00Z"


def test_a_user_sets_the_desired_capacity_and_the_next_turn_follows() -> None:
    """The causes of the launches name the user's request."""
    applied = apply(a_fleet(), GroupMemory(0), commands.SetDesiredCapacity(2), NOW)
    cause = (
        f"At {STAMP} a user request explicitly set group desired capacity changing the desired "
        "capacity from 0 to 2."
    )
    assert applied.memory == GroupMemory(2, cause=cause)
    assert applied.facts == (Noted(NOW, cause),)
    step = reconcile(applied.fleet.group, applied.memory, NOW)
    started = [fact.cause for fact in step.facts if isinstance(fact, ActivityStarted)]
    assert [
        text.startswith(f"{cause}  At {STAMP} an instance was started") for text in started
    ] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    "command", [commands.SetDesiredCapacity(2), commands.UpdateGroup()], ids=["set", "update"]
)
def test_asking_for_what_is_there_changes_nothing(command: Command) -> None:
    """Even the cause of the previous change stays."""
    applied = apply(FLEET, GROUP, command, NOW)
    assert (applied.fleet, applied.memory, applied.facts) == (FLEET, GROUP, ())


@pytest.mark.parametrize(
    ("command", "bounds", "desired"),
    [
        pytest.param(commands.UpdateGroup(max_size=9), (1, 9), 2, id="only-max"),
        pytest.param(commands.UpdateGroup(min_size=3), (3, 5), 3, id="min-lifts-desired"),
        pytest.param(
            commands.UpdateGroup(min_size=0, max_size=1), (0, 1), 1, id="max-lowers-desired"
        ),
        pytest.param(commands.UpdateGroup(0, 0, 0), (0, 0), 0, id="all-to-zero"),
    ],
)
def test_new_limits_take_the_desired_capacity_with_them(
    command: commands.UpdateGroup, bounds: tuple[int, int], desired: int
) -> None:
    """It moves into the limits, and the cause has the limits."""
    applied = apply(FLEET, GROUP, command, NOW)
    assert (applied.fleet.group.min_size, applied.fleet.group.max_size) == bounds
    assert applied.memory.desired == desired
    if desired != GROUP.desired:
        assert applied.memory.cause == (
            f"At {STAMP} a user request update of AutoScalingGroup constraints to min: "
            f"{bounds[0]}, max: {bounds[1]}, desired: {desired} changing the desired capacity "
            f"from 2 to {desired}."
        )


def test_a_user_runs_a_policy() -> None:
    """The metric's value selects the step, as an alarm's value would."""
    steps = (StepAdjustment(0, 10, 1), StepAdjustment(10, None, 3))
    fleet = a_fleet((a_policy(steps=steps),))
    for value, desired in ((59, 1), (60, 3)):
        applied = apply(fleet, GroupMemory(0), commands.ExecutePolicy("out", value, 50), NOW)
        assert applied.memory.desired == desired
        assert "a user request executed policy out changing the desired" in applied.memory.cause


@pytest.mark.parametrize(
    ("comparison", "desired"),
    [
        pytest.param(Comparison.LESS_OR_EQUAL, 1, id="alarm-below"),
        pytest.param(Comparison.GREATER_OR_EQUAL, 2, id="alarm-above"),
        pytest.param(None, 2, id="no-alarm"),
    ],
)
def test_at_the_threshold_the_policys_alarm_decides_the_side(
    comparison: Comparison | None, desired: int
) -> None:
    """The value is the common bound of two steps."""
    steps = (StepAdjustment(None, 0, 1), StepAdjustment(0, None, 2))
    policy = a_policy(steps=steps, adjustment_type=AdjustmentType.EXACT)
    alarm = an_alarm(comparison=comparison or Comparison.LESS, actions=(policy.logical_id,))
    fleet = a_fleet((policy,), (alarm,) if comparison else (replace(alarm, actions=()),))
    applied = apply(fleet, GroupMemory(0), commands.ExecutePolicy("out", 50, 50), NOW)
    assert applied.memory.desired == desired


def test_a_policy_that_does_nothing_says_why() -> None:
    """The request is accepted nevertheless."""
    fleet = a_fleet((a_policy(steps=(StepAdjustment(0, None, 0),)),))
    applied = apply(fleet, GROUP, commands.ExecutePolicy("out", 1, 0), NOW)
    assert applied.memory == GROUP
    assert [fact.text for fact in applied.facts if isinstance(fact, Noted)] == [
        "a user request executed policy out, which did nothing: the step asks for no change"
    ]


def test_protection_is_set_and_taken_back() -> None:
    """Only the named instances change."""
    on = apply(FLEET, GROUP, commands.SetInstanceProtection(("i-1",), protected=True), NOW)
    assert [item.id for item in on.memory.instances if item.protected] == ["i-1"]
    off = apply(FLEET, on.memory, commands.SetInstanceProtection(("i-1",), protected=False), NOW)
    assert off.memory == GROUP


@pytest.mark.parametrize(
    ("command", "state", "orders"),
    [
        pytest.param(
            commands.CompleteLifecycleAction("hold", "i-3", "CONTINUE"), "InService", (), id="in"
        ),
        pytest.param(
            commands.CompleteLifecycleAction("hold", "i-3", "ABANDON"),
            "Terminating:Proceed",
            ("i-3",),
            id="not-in",
        ),
        pytest.param(
            commands.CompleteLifecycleAction("drain", "i-4", "CONTINUE"),
            "Terminating:Proceed",
            ("i-4",),
            id="out",
        ),
    ],
)
def test_a_user_completes_a_hook(
    command: commands.CompleteLifecycleAction, state: str, orders: tuple[str, ...]
) -> None:
    """The world gets the order at once."""
    applied = apply(FLEET, GROUP, command, NOW)
    assert applied.facts == (InstanceChanged(NOW, command.instance, state),)
    assert applied.terminate == orders


def test_heartbeats_put_the_timeout_off_within_the_global_limit() -> None:
    """A heartbeat at half of the timeout makes it one and a half timeouts."""
    fleet = a_fleet(group=a_group(hooks=(DRAIN,), min_size=0))
    leaving = commands.TerminateInstance("i-1", should_decrement=True)
    memory = apply(fleet, GroupMemory(1, (SERVING,)), leaving, NOW).memory
    beat = commands.RecordLifecycleActionHeartbeat("drain", "i-1")
    halfway = apply(fleet, memory, beat, NOW + 150).memory
    assert expire_hooks(fleet.group, halfway, NOW + 449).memory == halfway
    assert expire_hooks(fleet.group, halfway, NOW + 450).terminate == ("i-1",)
    for late in range(200, 100 * 300, 200):
        memory = apply(fleet, memory, beat, NOW + late).memory
    assert memory.instances[0].hook_until == NOW + 100 * 300


@pytest.mark.parametrize(
    ("decrement", "desired", "shrinking"),
    [
        pytest.param(True, 1, ", shrinking the capacity from 2 to 1", id="for-good"),
        pytest.param(False, 2, "", id="to-be-replaced"),
    ],
)
def test_a_user_terminates_an_instance(decrement: bool, desired: int, shrinking: str) -> None:  # noqa: FBT001 - a parameter of the table
    """A hook holds it first, protected or not, and its replacement names no policy."""
    memory = GroupMemory(2, (replace(SERVING, protected=True), PENDING), 2, "before")
    applied = apply(
        FLEET, memory, commands.TerminateInstance("i-1", should_decrement=decrement), NOW
    )
    assert applied.drain == ("i-1",)
    assert (applied.memory.desired, applied.memory.cause) == (desired, "")
    assert applied.facts[0] == ActivityStarted(
        NOW,
        "terminate",
        "i-1",
        "Terminating EC2 instance: i-1",
        f"At {STAMP} instance i-1 was taken out of service in response to a user request"
        f"{shrinking}.",
    )
    assert len(reconcile(FLEET.group, applied.memory, NOW).launch) == desired - 1


def test_processes_are_suspended_and_resumed_by_name_or_all_together() -> None:
    """A second suspension keeps the time of the first one."""
    memory = apply(FLEET, GROUP, commands.SuspendProcesses(("Launch", "AZRebalance")), NOW).memory
    assert memory.suspended == {"Launch": NOW, "AZRebalance": NOW}
    memory = apply(FLEET, memory, commands.SuspendProcesses(), NOW + 1).memory
    assert memory.suspended == dict.fromkeys(PROCESSES, NOW + 1) | {
        "Launch": NOW,
        "AZRebalance": NOW,
    }
    memory = apply(FLEET, memory, commands.ResumeProcesses(("Launch",)), NOW + 2).memory
    assert memory.suspended.keys() == set(PROCESSES) - {"Launch"}
    assert apply(FLEET, memory, commands.ResumeProcesses(), NOW + 3).memory == GROUP


NUMBERS = st.integers(-1, 8)
MAYBE = st.none() | NUMBERS
IDS = st.integers(1, 12).map(lambda number: f"i-{number:017x}")
NAMES = st.lists(st.sampled_from(PROCESSES), max_size=2).map(tuple)
COMMANDS = st.one_of(
    st.builds(commands.SetDesiredCapacity, NUMBERS),
    st.builds(commands.UpdateGroup, MAYBE, MAYBE, MAYBE),
    st.builds(commands.ExecutePolicy, st.just("out"), st.floats(0, 9), st.just(5.0)),
    st.builds(commands.SetInstanceProtection, st.tuples(IDS), st.booleans()),
    st.builds(
        commands.CompleteLifecycleAction,
        st.sampled_from(["hold", "drain"]),
        IDS,
        st.just("ABANDON"),
    ),
    st.builds(commands.RecordLifecycleActionHeartbeat, st.sampled_from(["hold", "drain"]), IDS),
    st.builds(commands.TerminateInstance, IDS, st.booleans()),
    st.builds(commands.SuspendProcesses, NAMES),
    st.builds(commands.ResumeProcesses, NAMES),
)
HAPPENINGS = st.one_of(COMMANDS, st.tuples(st.sampled_from(["boot", "vanish"]), IDS))


@given(st.lists(HAPPENINGS, max_size=60))
def test_whatever_users_ask_the_group_keeps_its_limits_and_its_protected_instances(
    happenings: list[Command | tuple[str, str]],
) -> None:
    """After any requests, desired is within the limits and no protected instance is chosen."""
    fleet, memory, now = (
        a_fleet(group=a_group(max_size=4, hooks=(HOLD, DRAIN))),
        GroupMemory(0),
        NOW,
    )
    for happening in happenings:
        now += 20
        try:
            match happening:
                case ("boot", str(instance)):
                    memory = booted(fleet.group, memory, instance, now).memory
                case ("vanish", str(instance)):
                    memory = vanished(memory, instance, "", now).memory
                case tuple():
                    raise AssertionError(happening)
                case command:
                    applied = apply(fleet, memory, command, now)
                    fleet, memory = applied.fleet, applied.memory
        except RequestError:
            pass
        protected = {item.id for item in memory.instances if item.protected}
        step = reconcile(fleet.group, memory, now)
        memory = step.memory
        assert protected.isdisjoint((*step.drain, *step.terminate))
        assert fleet.group.min_size <= memory.desired <= fleet.group.max_size
        wanted = len(memory.wanted())
        if "Launch" not in memory.suspended:
            assert wanted >= memory.desired
        if "Terminate" not in memory.suspended:
            assert wanted <= max(memory.desired, len(protected))
        assert reconcile(fleet.group, memory, now) == replace(
            step, memory=memory, facts=(), launch=(), drain=(), terminate=()
        )
