"""Several hooks on one transition: results, timeouts and heartbeats."""

from __future__ import annotations

from dataclasses import replace

from support.builders.fleets import DRAIN, a_group

from tidemill.scaling.facts import InstanceChanged
from tidemill.scaling.group.hooks import ABANDON, CONTINUE, LAUNCHING, HookResult, global_timeout
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Hold, Instance, Step
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.transitions import booted, expire_hooks, heartbeat, hook_completed
from tidemill.scaling.spec import LifecycleHook

NOW = 1_750_000_020.0
SHORT = LifecycleHook("short", LAUNCHING, 60, CONTINUE)
LONG = LifecycleHook("long", LAUNCHING, 300, CONTINUE)
GROUP = a_group(hooks=(SHORT, LONG))
PENDING = GroupMemory(1, (Instance("i-1", LifecycleState.PENDING, NOW),), launched=1)


def held() -> Step:
    """Return a group whose only instance both launch hooks hold."""
    return booted(GROUP, PENDING, "i-1", NOW)


def test_all_hooks_of_a_transition_hold_an_instance_at_once() -> None:
    """Each has its own timeout."""
    (instance,) = held().memory.instances
    assert instance.holds == (
        Hold("short", NOW + 60, NOW + 6000),
        Hold("long", NOW + 300, NOW + 30_000),
    )
    assert instance.hook_until == NOW + 60
    assert held().facts == (InstanceChanged(NOW, "i-1", "Pending:Wait", "hooks short, long"),)


def test_an_instance_waits_for_the_last_of_its_hooks() -> None:
    """A hook that has continued does not hold the instance again."""
    step = hook_completed(GROUP, held().memory, "i-1", NOW + 1, HookResult(hook="short"))
    assert step.memory.instances[0].state is LifecycleState.PENDING_WAIT
    assert step.facts == ()
    step = hook_completed(GROUP, step.memory, "i-1", NOW + 2, HookResult(hook="long"))
    assert step.memory.instances[0].state is LifecycleState.IN_SERVICE


def test_one_hook_that_abandons_a_launch_ends_it() -> None:
    """The group does not wait for the other hook."""
    step = hook_completed(GROUP, held().memory, "i-1", NOW + 1, HookResult(ABANDON, "short"))
    assert step.terminate == ("i-1",)


def test_one_hook_that_abandons_a_termination_stops_the_others() -> None:
    """The instance is terminated at once."""
    group = a_group(hooks=(DRAIN, replace(DRAIN, name="copy-logs")))
    memory = GroupMemory(0, (Instance("i-1", LifecycleState.IN_SERVICE, NOW, NOW),))
    waiting = reconcile(group, memory, NOW)
    assert waiting.drain == ("i-1",)
    assert len(waiting.memory.instances[0].holds) == 2
    step = hook_completed(group, waiting.memory, "i-1", NOW + 1, HookResult(ABANDON, "drain"))
    assert step.terminate == ("i-1",)
    assert step.memory.instances[0].state is LifecycleState.TERMINATING_PROCEED


def test_each_hook_times_out_by_itself() -> None:
    """The instance enters service after the longer timeout."""
    step = expire_hooks(GROUP, held().memory, NOW + 60)
    assert [hold.hook for hold in step.memory.instances[0].holds] == ["long"]
    assert expire_hooks(GROUP, step.memory, NOW + 299).memory == step.memory
    step = expire_hooks(GROUP, step.memory, NOW + 300)
    assert step.memory.instances[0].state is LifecycleState.IN_SERVICE


def test_a_heartbeat_is_for_one_hook_and_not_for_ever() -> None:
    """The other hook's timeout is not extended; the limit is 100 timeouts."""
    step = heartbeat(held().memory, "i-1", SHORT, NOW + 30)
    assert [hold.until for hold in step.memory.instances[0].holds] == [NOW + 90, NOW + 300]
    step = heartbeat(step.memory, "i-1", SHORT, NOW + 5990)
    assert step.memory.instances[0].holds[0].until == NOW + global_timeout(SHORT)


def test_a_hook_holds_two_days_at_most() -> None:
    """The limit does not depend on the heartbeat timeout."""
    assert global_timeout(replace(SHORT, heartbeat_timeout=7200)) == 48 * 3600
