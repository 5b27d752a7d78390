"""Lifecycle of one instance: it boots, waits for hooks, is terminated, or disappears.

Rules: EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling instance lifecycle", "Amazon EC2 Auto
Scaling lifecycle hooks" and "Control instance retention with instance lifecycle policies".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tidemill.scaling.facts import ActivityStarted, InstanceChanged, stamp
from tidemill.scaling.group.hooks import (
    ABANDON,
    CONTINUE,
    LAUNCHING,
    TERMINATING,
    TIMED_OUT,
    HookResult,
    extended,
    find_hook,
    hold_detail,
    holds_of,
    hooks_for,
    released,
)
from tidemill.scaling.group.lifecycle import (
    POOLED,
    PREPARING,
    RETAINED,
    TERMINATING_STATES,
    WARM,
    Event,
    LifecycleState,
    after,
)
from tidemill.scaling.group.memory import (
    HEALTH_CHECK,
    REPLACE_UNHEALTHY,
    TERMINATE,
    Cooldown,
    GroupMemory,
    Instance,
    Step,
)
from tidemill.scaling.group.warm_pool import PREPARED_BY

if TYPE_CHECKING:
    from tidemill.scaling.spec import Group, LifecycleHook

BOOTING = frozenset({LifecycleState.PENDING, LifecycleState.WARMED_PENDING})

CONTINUED = HookResult()
LOST = "an EC2 health check indicating it has been terminated or stopped"


def booted(group: Group, memory: GroupMemory, instance_id: str, now: float) -> Step:
    """Return the group after an instance has booted: it enters service or the warm pool.

    Launch hooks hold it first. They hold an instance of a warm pool twice: at Warmed:Pending:Wait,
    "and then again when the instance restarts and reaches the Pending:Wait state" ("Use lifecycle
    hooks with a warm pool in Auto Scaling group").
    """
    instance = memory.find(instance_id)
    if instance is None or instance.state not in BOOTING:
        return Step(memory)
    hooks = hooks_for(group, LAUNCHING)
    if hooks:
        held = moved(instance, Event.BOOTS_HELD, holds=holds_of(hooks, now))
        return changed(memory, held, now, hold_detail(hooks))
    return _ready(group, memory, instance, now, "")


def hook_completed(
    group: Group,
    memory: GroupMemory,
    instance_id: str,
    now: float,
    completed: HookResult = CONTINUED,
) -> Step:
    """Return the group after a hook of an instance has completed.

    The instance proceeds when all of its hooks have continued, or one of them has abandoned it. An
    abandoned launch ends in termination. A termination proceeds with either result, unless the
    group retains instances whose termination is abandoned, by a user or by a timeout.
    """
    instance = memory.find(instance_id)
    if instance is None or not instance.holds:
        return Step(memory)
    left = released(instance, completed)
    if left.holds:
        return Step(memory.with_instance(left))
    if instance.state in TERMINATING_STATES:
        if group.retains and completed.result == ABANDON and instance.vanished is None:
            return _retain(memory, left, now, completed.detail)
        return _proceed(memory, left, Event.RELEASED, now, completed.detail)
    if completed.result == ABANDON:
        return _proceed(memory.unattributed(), left, Event.ABANDONED, now, completed.detail)
    return _ready(group, memory, left, now, completed.detail)


def expire_hooks(group: Group, memory: GroupMemory, now: float) -> Step:
    """Complete every hook whose heartbeat timeout is over, with its default result."""
    step = Step(memory)
    for instance in memory.instances:
        for hold in instance.holds:
            if now >= hold.until:
                hook = find_hook(group, hold.hook)
                result = CONTINUE if hook is None else hook.default_result
                timed_out = HookResult(result, hold.hook, TIMED_OUT)
                step = step.then(hook_completed(group, step.memory, instance.id, now, timed_out))
    return step


def heartbeat(memory: GroupMemory, instance_id: str, hook: LifecycleHook, now: float) -> Step:
    """Return the group after a heartbeat: the hook's timeout for the instance starts again."""
    instance = memory.find(instance_id)
    if instance is None:
        return Step(memory)
    return Step(memory.with_instance(extended(instance, hook, now)))


def vanished(memory: GroupMemory, instance_id: str, detail: str, now: float) -> Step:
    """Return the group after an instance has ceased to exist.

    If the group was not terminating it and a process that replaces such instances is suspended, the
    group keeps it; `replace_vanished` removes it when the process is resumed. An instance on
    standby is kept until it returns to service, because its health is not checked before that.
    """
    instance = memory.find(instance_id)
    if instance is None:
        return Step(memory)
    if instance.state in TERMINATING_STATES | RETAINED | WARM:
        return _remove(memory, instance, detail, now)
    return replace_vanished(memory.with_instance(replace(instance, vanished=detail)), now)


def replace_vanished(memory: GroupMemory, now: float) -> Step:
    """Remove the instances that no longer exist, unless a suspended process forbids it.

    HealthCheck notices that they no longer exist, ReplaceUnhealthy removes them, but not while
    Terminate is suspended ("How suspended processes affect other processes"). The health of an
    instance on standby is not checked ("Temporarily remove instances from your Auto Scaling
    group").
    """
    step = Step(memory)
    if not memory.suspended.keys().isdisjoint((HEALTH_CHECK, REPLACE_UNHEALTHY, TERMINATE)):
        return step
    for instance in memory.instances:
        if instance.vanished is not None and instance.state is not LifecycleState.STANDBY:
            cause = f"At {stamp(now)} an instance was taken out of service in response to {LOST}."
            started = _terminating(instance.id, cause, now)
            left = Step(step.memory.unattributed(), (started,))
            step = step.then(left.then(_remove(left.memory, instance, instance.vanished, now)))
    return step


def begin_termination(
    group: Group, memory: GroupMemory, instance: Instance, cause: str, now: float
) -> Step:
    """Begin to terminate an instance of the group; termination hooks hold it first.

    They do not hold a retained instance again (assumed).
    """
    started = Step(memory, (_terminating(instance.id, cause, now),))
    hooks = hooks_for(group, TERMINATING)
    if not hooks or instance.vanished is not None or instance.state in RETAINED:
        return started.then(_proceed(memory, instance, Event.TERMINATES, now, ""))
    held = moved(instance, Event.TERMINATES_HELD, holds=holds_of(hooks, now))
    waiting = changed(memory, held, now, hold_detail(hooks))
    return started.then(replace(waiting, drain=(instance.id,)))


def move_to_standby(memory: GroupMemory, instance: Instance, now: float) -> Step:
    """Return the group with an instance on standby, where it does not count as capacity."""
    return changed(memory, moved(instance, Event.ENTERS_STANDBY), now, "")


def return_from_standby(memory: GroupMemory, instance: Instance, now: float) -> Step:
    """Return the group with an instance in service again; its warm-up starts again (assumed)."""
    return changed(memory, moved(instance, Event.EXITS_STANDBY, in_service_at=now), now, "")


def detach(memory: GroupMemory, instance: Instance, now: float) -> Step:
    """Return the group without an instance, which keeps running."""
    step = changed(memory, moved(instance, Event.DETACHES), now, "")
    return replace(step, memory=memory.without_instance(instance.id))


def _remove(memory: GroupMemory, instance: Instance, detail: str, now: float) -> Step:
    changed = InstanceChanged(now, instance.id, LifecycleState.TERMINATED, detail)
    left = memory.without_instance(instance.id)
    return Step(left if instance.state in POOLED else _finished(left, now), (changed,))


def _proceed(
    memory: GroupMemory, instance: Instance, event: Event, now: float, detail: str
) -> Step:
    if instance.vanished is not None:  # nothing is left to terminate
        return _remove(memory, instance, instance.vanished, now)
    leaving = moved(instance, event)
    return replace(changed(memory, leaving, now, detail), terminate=(instance.id,))


def _retain(memory: GroupMemory, instance: Instance, now: float, detail: str) -> Step:
    """Keep an instance that was to be terminated, until a user terminates it; it keeps running."""
    kept = moved(instance, Event.RETAINED)
    step = changed(memory, kept, now, detail)
    finished = step.memory if kept.state in POOLED else _finished(step.memory, now)
    return replace(step, memory=finished)


def _ready(group: Group, memory: GroupMemory, instance: Instance, now: float, detail: str) -> Step:
    """Move an instance that no hook holds any more into service, or into the warm pool."""
    if instance.state in PREPARING:
        event = PREPARED_BY["Stopped" if group.warm_pool is None else group.warm_pool.state]
        step = changed(memory, moved(instance, event), now, detail)
        return step if event is Event.STAYS_UP else replace(step, stop=(instance.id,))
    event = Event.READY if instance.state is LifecycleState.PENDING_WAIT else Event.BOOTS
    # Scale-in protection starts with InService ("Use instance scale-in protection").
    serving = moved(
        instance, event, in_service_at=now, protected=instance.protected or group.protects
    )
    step = changed(memory, serving, now, detail)
    return replace(step, memory=_finished(step.memory, now))


def _finished(memory: GroupMemory, now: float) -> GroupMemory:
    """Begin a cooldown, as an instance has finished launching or terminating.

    "After your Auto Scaling group launches or terminates instances, it waits for a cooldown period"
    ("Scaling cooldowns for Amazon EC2 Auto Scaling"), whatever caused the launch. An open cooldown
    is restarted with its own length.
    """
    cooldown = memory.cooldown
    if cooldown is None or not cooldown.open:
        cooldown = Cooldown(None, now)
    return replace(memory, cooldown=replace(cooldown, since=now, open=memory.in_progress()))


def changed(memory: GroupMemory, instance: Instance, now: float, detail: str) -> Step:
    """Return the group with this instance as it is now, and the fact of its state."""
    fact = InstanceChanged(now, instance.id, instance.state, detail)
    return Step(memory.with_instance(instance), (fact,))


def moved(instance: Instance, event: Event, **changes: Any) -> Instance:  # noqa: ANN401 - fields of any kind
    """Return an instance after an event, in its next state by the table of transitions."""
    return replace(instance, state=after(instance.state, event), **{"holds": ()} | changes)


def _terminating(instance_id: str, cause: str, now: float) -> ActivityStarted:
    description = f"Terminating EC2 instance: {instance_id}"
    return ActivityStarted(now, "terminate", instance_id, description, cause)
