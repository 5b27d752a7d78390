"""Requests of users to the group, and their effects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.alarms import an_alarm
from support.builders.fleets import DRAIN, a_fleet, a_group, a_policy

from tidemill.scaling.errors import RequestError
from tidemill.scaling.facts import ActivityStarted, InstanceChanged, Noted
from tidemill.scaling.group.hooks import LAUNCHING
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import PROCESSES, GroupMemory, Hold, Instance
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.transitions import booted, expire_hooks, vanished
from tidemill.scaling.requests import commands
from tidemill.scaling.requests.apply import apply
from tidemill.scaling.spec import AdjustmentType, Comparison, LifecycleHook, StepAdjustment

if TYPE_CHECKING:
    from tidemill.scaling.requests.commands import Command

NOW = 1_750_000_020.0
STAMP = "2025-06-15T15:07:00Z"
HOLD = LifecycleHook("hold", LAUNCHING, heartbeat_timeout=60, default_result="ABANDON")
SERVING = Instance("i-1", LifecycleState.IN_SERVICE, NOW, in_service_at=NOW)
PENDING = Instance("i-2", LifecycleState.PENDING, NOW)
HELD_IN = Instance("i-3", LifecycleState.PENDING_WAIT, NOW, holds=(Hold("hold", NOW + 60),))
HELD_OUT = Instance("i-4", LifecycleState.TERMINATING_WAIT, NOW, holds=(Hold("drain", NOW + 300),))
FLEET = a_fleet(group=a_group(min_size=1, max_size=5, hooks=(HOLD, DRAIN)))
GROUP = GroupMemory(2, (SERVING, PENDING, HELD_IN, HELD_OUT), launched=4, cause="before")


def refusal(command: Command, memory: GroupMemory = GROUP) -> tuple[str, str]:
    """Return the code and the message with which a request is refused."""
    with pytest.raises(RequestError) as refused:
        apply(FLEET, memory, command, NOW)
    return refused.value.code, refused.value.message


@pytest.mark.parametrize(
    ("command", "message"),
    [
        pytest.param(
            commands.SetDesiredCapacity(0),
            "New SetDesiredCapacity value 0 is below min value 1 for the AutoScalingGroup.",
            id="desired-below-min",
        ),
        pytest.param(
            commands.SetDesiredCapacity(6),
            "New SetDesiredCapacity value 6 is above max value 5 for the AutoScalingGroup.",
            id="desired-above-max",
        ),
        pytest.param(
            commands.UpdateGroup(max_size=0),
            "Max bound, 0, must be greater than or equal to min bound, 1",
            id="max-below-min",
        ),
        pytest.param(
            commands.UpdateGroup(min_size=-1),
            "Min bound, -1, must not be negative",
            id="negative-min",
        ),
        pytest.param(
            commands.UpdateGroup(max_size=3, desired=4),
            "Desired capacity:4 must be between the specified min size:1 and max size:3",
            id="desired-out-of-new-bounds",
        ),
        pytest.param(
            commands.ExecutePolicy("in", 1, 0),
            "No scaling policy of the group is named in; there are: out",
            id="no-such-policy",
        ),
        pytest.param(
            commands.ExecutePolicy("out"),
            "MetricValue and BreachThreshold are required for a StepScaling policy",
            id="policy-without-a-value",
        ),
        pytest.param(
            commands.ExecutePolicy("out", 1, 2),
            "MetricValue 1 with BreachThreshold 2 corresponds to no step adjustment of policy out",
            id="value-in-no-step",
        ),
        pytest.param(
            commands.SetInstanceProtection(("i-1", "i-9"), protected=True),
            "The instance i-9 is not part of Auto Scaling group workers.",
            id="protecting-a-stranger",
        ),
        pytest.param(
            commands.SetInstanceProtection(("i-2",), protected=True),
            "The instance i-2 is not in InService or EnteringStandby or Standby.",
            id="protecting-too-early",
        ),
        pytest.param(
            commands.CompleteLifecycleAction("drain", "i-4", "DONE"),
            "The lifecycle action result is CONTINUE or ABANDON: DONE",
            id="hook-with-another-result",
        ),
        pytest.param(
            commands.CompleteLifecycleAction("drain", "i-9", "CONTINUE"),
            "No active Lifecycle Action found with instance ID i-9",
            id="hook-of-a-stranger",
        ),
        pytest.param(
            commands.CompleteLifecycleAction("drain", "i-3", "CONTINUE"),
            "No active Lifecycle Action found with instance ID i-3",
            id="the-other-hook",
        ),
        pytest.param(
            commands.RecordLifecycleActionHeartbeat("drain", "i-1"),
            "No active Lifecycle Action found with instance ID i-1",
            id="heartbeat-without-a-hook",
        ),
        pytest.param(
            commands.TerminateInstance("i-9", should_decrement=False),
            "Instance Id not found - No managed instance found for instance ID: i-9",
            id="terminating-a-stranger",
        ),
        pytest.param(
            commands.SuspendProcesses(("Launch", "Lunch")),
            f"Lunch is no scaling process; there are: {', '.join(PROCESSES)}",
            id="no-such-process",
        ),
    ],
)
def test_what_auto_scaling_would_refuse_is_refused(command: Command, message: str) -> None:
    """The message is Auto Scaling's where it is published."""
    assert refusal(command) == ("ValidationError", message)


def test_a_group_at_its_minimum_cannot_lose_an_instance_for_good() -> None:
    """The refusal names the two remedies."""
    code, message = refusal(
        commands.TerminateInstance("i-1", should_decrement=True), replace(GROUP, desired=1)
    )
    assert code == "ValidationError"
    assert message.startswith("Currently, desiredSize equals minSize (1). Terminating instance")


def test_an_instance_on_its_way_out_cannot_be_terminated_again() -> None:
    """The error names the activity that blocks the request."""
    code, message = refusal(commands.TerminateInstance("i-4", should_decrement=False))
    assert code == "ScalingActivityInProgress"
    assert message.endswith("is in progress and blocks this action")


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
