"""Suspended processes and protected instances: what the group does not do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.alarms import an_alarm
from support.builders.fleets import DRAIN, a_fleet, a_group
from support.fakes.worlds import START, Run

from tidemill.scaling.alarms.watching import DueAlarm
from tidemill.scaling.facts import ActivityStarted, InstanceChanged
from tidemill.scaling.group.health import USER_HEALTH_CHECK
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Hold, Instance
from tidemill.scaling.group.reconcile import reconcile, replace_unhealthy
from tidemill.scaling.group.transitions import booted, expire_hooks, replace_vanished, vanished
from tidemill.scaling.policies.decision import decide
from tidemill.scaling.policies.schedule import first_due, run_due
from tidemill.scaling.spec import ScheduledAction, WarmPool

NOW = START
OLD = Instance("i-1", LifecycleState.IN_SERVICE, NOW - 60, in_service_at=NOW)
YOUNG = Instance("i-2", LifecycleState.IN_SERVICE, NOW, in_service_at=NOW)
TOLD = (
    "Could not scale to desired capacity because all remaining instances are protected from "
    "scale-in."
)


def suspending(*names: str) -> dict[str, float]:
    """Return these processes as suspended."""
    return dict.fromkeys(names, NOW)


def test_scale_in_passes_a_protected_instance_over() -> None:
    """The younger, unprotected instance is terminated instead."""
    memory = GroupMemory(1, (replace(OLD, protected=True), YOUNG))
    assert reconcile(a_group(), memory, NOW).terminate == ("i-2",)


def test_with_all_instances_protected_none_is_terminated_and_it_is_reported_once() -> None:
    """It is reported again only when it happens again."""
    guarded = tuple(replace(item, protected=True) for item in (OLD, YOUNG))
    memory = GroupMemory(1, guarded, cause="why")
    step = reconcile(a_group(), memory, NOW)
    assert step.facts == (ActivityStarted(NOW, "scale in", "", TOLD, "why"),)
    assert (step.terminate, step.memory.desired) == ((), 1)
    assert reconcile(a_group(), step.memory, NOW).facts == ()
    content = reconcile(a_group(), replace(step.memory, desired=2), NOW)
    assert len(reconcile(a_group(), replace(content.memory, desired=1), NOW).facts) == 1


def test_the_rest_of_a_scale_in_goes_when_protection_ends() -> None:
    """The group keeps its desired capacity in the meantime."""
    memory = GroupMemory(0, (replace(OLD, protected=True), YOUNG))
    step = reconcile(a_group(), memory, NOW)
    assert step.terminate == ("i-2",)
    free = tuple(replace(item, protected=False) for item in step.memory.instances)
    assert reconcile(a_group(), replace(step.memory, instances=free), NOW).terminate == ("i-1",)


@pytest.mark.parametrize(
    ("process", "memory", "after"),
    [
        pytest.param("Launch", GroupMemory(2, (OLD,)), 2, id="launch"),
        pytest.param("Terminate", GroupMemory(1, (OLD, YOUNG)), 1, id="terminate"),
    ],
)
def test_a_difference_waits_until_its_process_is_resumed(
    process: str, memory: GroupMemory, after: int
) -> None:
    """The desired capacity changes, the instances do not."""
    resting = replace(memory, suspended=suspending(process))
    assert reconcile(a_group(), resting, NOW).memory == resting
    assert len(reconcile(a_group(), memory, NOW).memory.wanted()) == after


def test_no_policy_runs_while_alarm_notification_is_suspended() -> None:
    """An alarm whose state lasts runs its policy afterwards."""
    fleet = a_fleet()
    due_alarms = [DueAlarm(an_alarm(threshold=0.0, actions=("OutPolicy",)), 1.0, {})]
    resting = GroupMemory(0, suspended=suspending("AlarmNotification"))
    assert decide(fleet, resting, {}, due_alarms, NOW).group == resting
    assert decide(fleet, replace(resting, suspended={}), {}, due_alarms, NOW).group.desired == 1


@pytest.mark.parametrize("process", ["HealthCheck", "ReplaceUnhealthy", "Terminate"])
def test_a_vanished_instance_is_replaced_when_the_process_is_resumed(process: str) -> None:
    """Until then it counts as capacity."""
    memory = GroupMemory(1, (OLD,), suspended=suspending(process))
    kept = vanished(memory, "i-1", "killed", NOW)
    assert kept.facts == ()
    assert reconcile(a_group(), kept.memory, NOW).launch == ()
    step = replace_vanished(replace(kept.memory, suspended={}), NOW)
    assert step.facts[-1] == InstanceChanged(NOW, "i-1", "Terminated", "killed")
    assert len(reconcile(a_group(), step.memory, NOW).launch) == 1


def test_the_loop_replaces_what_has_vanished_by_itself() -> None:
    """It does so at the first turn after the process is resumed."""
    run = Run(a_fleet(group=a_group(min_size=1, desired=1)))
    run.go(60)
    resting = replace(run.memory.group, suspended=suspending("ReplaceUnhealthy"))
    run.memory = replace(run.memory, group=resting)
    run.world.vanish("i-00000000000000001")
    run.go(60)
    assert run.states() == ["InService"]
    run.memory = replace(run.memory, group=replace(run.memory.group, suspended={}))
    run.go(60)
    assert [item.id for item in run.memory.group.instances] == ["i-00000000000000002"]


def test_launch_suspended_an_unhealthy_instance_goes_without_a_replacement() -> None:
    """ReplaceUnhealthy terminates it nevertheless."""
    memory = GroupMemory(1, (OLD,), suspended=suspending("Launch"))
    step = vanished(memory, "i-1", "", NOW)
    assert step.memory.instances == ()
    assert reconcile(a_group(), step.memory, NOW).launch == ()


def test_a_scale_in_takes_a_vanished_instance_first_and_waits_for_nothing() -> None:
    """Such an instance could not complete a hook."""
    lost = replace(YOUNG, vanished="killed")
    memory = GroupMemory(1, (OLD, lost), suspended=suspending("HealthCheck"))
    step = reconcile(a_group(hooks=(DRAIN,)), memory, NOW)
    assert [item.id for item in step.memory.instances] == ["i-1"]
    assert (step.drain, step.terminate) == ((), ())


def test_a_vanished_instance_that_a_hook_holds_is_forgotten_when_the_hook_times_out() -> None:
    """No order to terminate it is given."""
    held = Instance(
        "i-3", LifecycleState.PENDING_WAIT, NOW, holds=(Hold("drain", NOW + 60),), vanished=""
    )
    hold = replace(DRAIN, transition="autoscaling:EC2_INSTANCE_LAUNCHING", default_result="ABANDON")
    memory = GroupMemory(1, (held,), suspended=suspending("HealthCheck"))
    assert expire_hooks(a_group(hooks=(hold,)), memory, NOW + 60).memory.instances == ()
    assert booted(a_group(), memory, "i-3", NOW).memory == memory


def scheduled_sizes(suspended: tuple[str, ...], desired: int) -> tuple[int, int, int]:
    """Return desired capacity, launches and terminations after a scheduled action is due."""
    action = ScheduledAction("A", "a", desired=desired, start=NOW + 1)
    fleet = replace(a_fleet(), scheduled=(action,))
    memory = GroupMemory(2, (OLD, YOUNG), suspended=suspending(*suspended))
    step, _ = run_due(fleet, memory, first_due(fleet, NOW), NOW + 1)
    after = reconcile(fleet.group, step.memory, NOW + 1)
    return after.memory.desired, len(after.launch), len(after.terminate)


@pytest.mark.parametrize(
    ("process", "out", "back"),
    [
        ("Launch", (3, 0, 0), (1, 0, 1)),
        ("Terminate", (3, 1, 0), (1, 0, 0)),
        ("ScheduledActions", (2, 0, 0), (2, 0, 0)),
        ("AlarmNotification", (3, 1, 0), (1, 0, 1)),
        ("AZRebalance", (3, 1, 0), (1, 0, 1)),
        ("AddToLoadBalancer", (3, 1, 0), (1, 0, 1)),
        ("InstanceRefresh", (3, 1, 0), (1, 0, 1)),
    ],
)
def test_a_schedule_changes_what_the_suspended_processes_leave(
    process: str, out: tuple[int, int, int], back: tuple[int, int, int]
) -> None:
    """The action is active while Launch or Terminate is suspended, but starts no activity."""
    assert scheduled_sizes((process,), 3) == out
    assert scheduled_sizes((process,), 1) == back


@pytest.mark.parametrize(
    ("process", "terminated", "launched"),
    [
        ("Launch", 1, 0),
        ("Terminate", 0, 0),
        ("ReplaceUnhealthy", 0, 0),
        ("HealthCheck", 1, 1),
        ("AlarmNotification", 1, 1),
        ("ScheduledActions", 1, 1),
    ],
)
def test_a_marked_instance_is_replaced_unless_a_suspended_process_forbids_it(
    process: str, terminated: int, launched: int
) -> None:
    """When the process is resumed, what was left out follows immediately."""
    marked = replace(OLD, unhealthy=USER_HEALTH_CHECK)
    memory = GroupMemory(2, (marked, YOUNG), suspended=suspending(process))
    step = replace_unhealthy(a_group(), memory, NOW)
    step = step.then(reconcile(a_group(), step.memory, NOW))
    assert (len(step.terminate), len(step.launch)) == (terminated, launched)
    resumed = replace(step.memory, suspended={})
    rest = replace_unhealthy(a_group(), resumed, NOW)
    rest = rest.then(reconcile(a_group(), rest.memory, NOW))
    assert len(step.terminate + rest.terminate) == 1
    assert len(step.launch + rest.launch) == 1


def test_a_warm_pool_follows_launch_and_terminate_too() -> None:
    """Launch adds instances to a pool; nothing is added while it is suspended."""
    group = a_group(max_size=2, warm_pool=WarmPool())
    assert reconcile(group, GroupMemory(0, suspended=suspending("Launch")), NOW).launch == ()
    full = tuple(Instance(f"i-{n}", LifecycleState.WARMED_STOPPED, NOW) for n in range(3))
    assert len(reconcile(group, GroupMemory(0, full), NOW).terminate) == 1
    suspended = GroupMemory(0, full, suspended=suspending("Terminate"))
    assert reconcile(group, suspended, NOW).terminate == ()
