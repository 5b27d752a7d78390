"""Simple scaling: one adjustment at a time, and a cooldown after each."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from support.builders.alarms import actions_on, an_alarm
from support.builders.fleets import DRAIN, a_fleet, a_group, a_policy
from support.fakes.worlds import MINUTE, FakeQueue, FakeWorld, Run

from tidemill.scaling.alarms.watching import DueAlarm
from tidemill.scaling.group.capacity import Capacity
from tidemill.scaling.group.hooks import LAUNCHING
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import Cooldown, GroupMemory, Instance
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.transitions import booted, vanished
from tidemill.scaling.policies.decision import decide
from tidemill.scaling.policies.simple import begin_cooldown, simple_outcome, why_wait
from tidemill.scaling.spec import (
    AdjustmentType,
    Comparison,
    LifecycleHook,
    Limits,
    SimpleScalingPolicy,
    StepAdjustment,
    WarmPool,
)

OUT = SimpleScalingPolicy("OutPolicy", "out", AdjustmentType.CHANGE, 1)
IN = SimpleScalingPolicy("InPolicy", "in", AdjustmentType.CHANGE, -1, cooldown=60)
HIGH = an_alarm(threshold=0.0, evaluation_periods=1, datapoints_to_alarm=1, actions=("OutPolicy",))
LOW = replace(
    HIGH, logical_id="Idle", comparison=Comparison.LESS_OR_EQUAL, actions=actions_on("InPolicy")
)
BOOT = 30


def a_run(hooks: tuple[LifecycleHook, ...] = ()) -> Run:
    """Return a run with messages that nobody works off; one in, one out, at a time."""
    fleet = replace(a_fleet((), (HIGH, LOW), a_group(hooks=hooks)), policies=(OUT, IN))
    return Run(fleet, FakeWorld(FakeQueue(visible=1), boot_seconds=BOOT, rate=0))


def test_the_cooldown_runs_from_when_the_last_instance_is_in_service() -> None:
    """An instance every 30 s of boot and 300 s of cooldown, to the next minute's evaluation."""
    run = a_run()
    run.go(14 * MINUTE)
    first, second, third = run.changed_at()
    assert second - first == third - second == 6 * MINUTE
    assert first + BOOT + 300 <= second


def test_a_launch_hook_puts_the_cooldown_off() -> None:
    """The cooldown counts from the instance's InService."""
    hook = LifecycleHook("ready", LAUNCHING, 120, "CONTINUE")
    run = a_run((hook,))
    run.go(16 * MINUTE)
    first, second = run.changed_at()[:2]
    assert second - first >= BOOT + 120 + 300


def test_a_policys_own_cooldown_goes_before_the_groups() -> None:
    """Scale-in has 60 s here: an instance in two minutes, drained for ten seconds."""
    run = a_run((DRAIN,))
    run.go(18 * MINUTE)
    run.queue.visible = 0
    before = len(run.sizes())
    run.go(15 * MINUTE)
    times = run.changed_at()[before:]
    assert len(times) >= 2
    assert {late - early for early, late in itertools.pairwise(times)} == {2 * MINUTE}


@pytest.mark.parametrize(
    ("memory", "says"),
    [
        pytest.param(GroupMemory(0), "", id="nothing-before"),
        pytest.param(
            GroupMemory(1, (Instance("i-1", LifecycleState.PENDING, 0),)),
            "a scaling activity is in progress",
            id="a-launch",
        ),
        pytest.param(
            GroupMemory(1, cooldown=Cooldown(300, since=0)),
            "the cooldown lasts until 1970-01-01T00:05:00Z",
            id="cooldown",
        ),
        pytest.param(
            GroupMemory(1, cooldown=Cooldown(None, since=0)),
            "the cooldown lasts until 1970-01-01T00:05:00Z",
            id="the-groups-cooldown",
        ),
        pytest.param(GroupMemory(1, cooldown=Cooldown(100, since=0)), "", id="over"),
    ],
)
def test_a_policy_waits_for_activities_and_the_cooldown(memory: GroupMemory, says: str) -> None:
    """The reason says for which of them it waits."""
    assert why_wait(a_group(), memory, 100) == says


def test_a_least_magnitude_starts_a_group_from_zero() -> None:
    """100 % of 0 instances is none, but the policy scales by 2 at least."""
    policy = replace(
        OUT, adjustment_type=AdjustmentType.PERCENT, adjustment=100, min_adjustment_magnitude=2
    )
    assert simple_outcome(policy, Capacity(0, 0), Limits(0, 9)).desired == 2


def test_a_group_without_a_cooldown_of_its_own_has_300_seconds() -> None:
    """300 s is Auto Scaling's default; a policy's own cooldown has precedence."""
    assert begin_cooldown(OUT, 7).until(a_group()) == 307
    assert begin_cooldown(IN, 7).until(a_group()) == 67


STEP = replace(a_policy(steps=(StepAdjustment(0, None, 1),)), logical_id="Steps")


def test_a_simple_policy_waits_for_the_cooldown_of_any_launch() -> None:
    """A step policy's instance is in service at 60 s: a simple policy may act at 360 s."""
    group = a_group(max_size=9)
    fleet = replace(a_fleet((STEP,), (), group), policies=(STEP, OUT))
    launched = reconcile(group, GroupMemory(1), 0)
    memory = booted(group, launched.memory, launched.launch[0], 60).memory
    simple, step = (
        DueAlarm(replace(HIGH, actions=actions_on(one)), 1.0, {}) for one in ("OutPolicy", "Steps")
    )
    for at, waits in ((61, True), (359, True), (360, False)):
        decided = decide(fleet, memory, {}, [simple], at)
        assert (decided.group.desired == 1) is waits
        assert ("OutPolicy" in decided.held) is waits
    assert decide(fleet, memory, {}, [step], 61).group.desired == 2


@pytest.mark.parametrize("state", [LifecycleState.IN_SERVICE, LifecycleState.TERMINATING_PROCEED])
def test_the_end_of_any_instance_begins_a_cooldown(state: LifecycleState) -> None:
    """Also if the instance was lost; several ends restart it."""
    memory = GroupMemory(0, tuple(Instance(name, state, 0, 0) for name in ("i-1", "i-2")))
    first = vanished(memory, "i-1", "", 100).memory
    second = vanished(first, "i-2", "", 150).memory
    assert first.cooldown is not None
    assert second.cooldown == Cooldown(None, 150, open=False)
    assert second.cooldown.until(a_group()) == 450


def test_a_warm_pool_begins_no_cooldown_and_is_no_activity() -> None:
    """The instances of a pool come and go beside the group (assumed)."""
    states = (LifecycleState.WARMED_PENDING, LifecycleState.WARMED_TERMINATING_PROCEED)
    pool = tuple(Instance(f"i-{state}", state, 0) for state in states)
    memory = GroupMemory(0, pool)
    assert not memory.in_progress()
    group = a_group(warm_pool=WarmPool())
    assert booted(group, memory, pool[0].id, 30).memory.cooldown is None
    assert vanished(memory, pool[1].id, "", 30).memory.cooldown is None


@pytest.mark.parametrize(
    ("kind", "adjustment", "least", "after"),
    [
        (AdjustmentType.CHANGE, 3, None, 7),
        (AdjustmentType.CHANGE, -9, None, 1),
        (AdjustmentType.EXACT, 2, None, 2),
        (AdjustmentType.PERCENT, 25, 2, 6),
        (AdjustmentType.PERCENT, 30, None, 5),
        (AdjustmentType.CHANGE, 0, None, None),
    ],
)
def test_an_adjustment_counts_from_the_desired_capacity(
    kind: AdjustmentType, adjustment: int, least: int | None, after: int | None
) -> None:
    """The result is within the group's limits, 1 to 9."""
    policy = replace(
        OUT, adjustment_type=kind, adjustment=adjustment, min_adjustment_magnitude=least
    )
    assert simple_outcome(policy, Capacity(4, 4), Limits(1, 9)).desired == after
