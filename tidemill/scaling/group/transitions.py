"""One instance's steps through its lifecycle: it boots, is held and let go, goes, or is lost.

Rules: EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling instance lifecycle" and "Amazon EC2
Auto Scaling lifecycle hooks".
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
    find_hook,
    holds_of,
    hooks_for,
    prolonged,
    released,
    told,
)
from tidemill.scaling.group.lifecycle import LEAVING, PREPARING, WARM, Event, LifecycleState, after
from tidemill.scaling.group.memory import (
    HEALTH_CHECK,
    REPLACE_UNHEALTHY,
    TERMINATE,
    GroupMemory,
    Instance,
    Step,
)
from tidemill.scaling.group.warm_pool import PREPARED_BY

if TYPE_CHECKING:
    from tidemill.scaling.spec import Group, LifecycleHook

BOOTING = frozenset({LifecycleState.PENDING, LifecycleState.WARMED_PENDING})

LOST = "an EC2 health check indicating it has been terminated or stopped"


def booted(group: Group, memory: GroupMemory, instance_id: str, now: float) -> Step:
    """Take an instance that runs by now into service or the warm pool; launch hooks hold it first.

    One that the warm pool has prepared before is not held again: it comes into service (assumed;
    the page shows hooks for both, and a template has no way to tell them apart).
    """
    instance = memory.find(instance_id)
    if instance is None or instance.state not in BOOTING:
        return Step(memory)
    hooks = () if instance.prepared else hooks_for(group, LAUNCHING)
    if hooks:
        held = moved(instance, Event.BOOTS_HELD, holds=holds_of(hooks, now))
        return changed(memory, held, now, told(hooks))
    return _ready(group, memory, instance, now, "")


def hook_completed(  # noqa: PLR0913 - what AWS's request has, and what is told of it
    group: Group,
    memory: GroupMemory,
    instance_id: str,
    now: float,
    result: str = CONTINUE,
    *,
    detail: str = "",
    hook: str | None = None,
) -> Step:
    """Let go of an instance that a hook holds, with the hook's result, CONTINUE or ABANDON.

    An abandoned launch ends in termination. One that terminates goes on either way. An instance
    goes on when all of its hooks have continued, or one has abandoned it.

    Args:
        group: the group.
        memory: what it remembers.
        instance_id: the instance.
        now: epoch seconds.
        result: of the hook.
        detail: what is told of the change.
        hook: the name of the hook, None for all that hold the instance.
    """
    instance = memory.find(instance_id)
    if instance is None or not instance.holds:
        return Step(memory)
    left = released(instance, hook, result)
    if left.holds:
        return Step(_with(memory, left))
    if instance.state in LEAVING:
        return _proceed(memory, left, Event.LET_GO, now, detail)
    if result == ABANDON:
        # Whatever is launched in its place is not the last policy's doing.
        return _proceed(replace(memory, cause=""), left, Event.ABANDONED, now, detail)
    return _ready(group, memory, left, now, detail)


def expire_hooks(group: Group, memory: GroupMemory, now: float) -> Step:
    """Let go of every instance whose hook's heartbeat timeout is over, with its default result."""
    step = Step(memory)
    for instance in memory.instances:
        for hold in instance.holds:
            if now >= hold.until:
                hook = find_hook(group, hold.hook)
                result = CONTINUE if hook is None else hook.default_result
                step = step.then(
                    hook_completed(
                        group,
                        step.memory,
                        instance.id,
                        now,
                        result,
                        detail=TIMED_OUT,
                        hook=hold.hook,
                    )
                )
    return step


def heartbeat(memory: GroupMemory, instance_id: str, hook: LifecycleHook, now: float) -> Step:
    """Give an instance that a hook holds the hook's heartbeat timeout again, from now on."""
    instance = memory.find(instance_id)
    return Step(memory if instance is None else _with(memory, prolonged(instance, hook, now)))


def gone(memory: GroupMemory, instance_id: str, detail: str, now: float) -> Step:
    """Forget an instance that is not there any more, whether it was told to go or not.

    One that was not told to go stays in the group while a process is suspended without which
    nothing replaces it; `replace_vanished` takes it out when the process is resumed.
    """
    instance = memory.find(instance_id)
    if instance is None:
        return Step(memory)
    if instance.state in LEAVING or instance.state in WARM:
        return _forget(memory, instance, detail, now)
    return replace_vanished(_with(memory, replace(instance, vanished=detail)), now)


def replace_vanished(memory: GroupMemory, now: float) -> Step:
    """Take out the instances that the world has lost, unless a suspended process forbids it.

    "Suspending and resuming scaling processes": HealthCheck sees that they are gone,
    ReplaceUnhealthy takes them out, and rests itself while Terminate is suspended.
    """
    step = Step(memory)
    if not memory.suspended.keys().isdisjoint((HEALTH_CHECK, REPLACE_UNHEALTHY, TERMINATE)):
        return step
    for instance in memory.instances:
        if instance.vanished is not None:
            cause = f"At {stamp(now)} an instance was taken out of service in response to {LOST}."
            started = _terminating(instance.id, cause, now)
            # Whatever is launched in its place is not the last policy's doing.
            left = Step(replace(step.memory, cause=""), (started,))
            step = step.then(left.then(_forget(left.memory, instance, instance.vanished, now)))
    return step


def take_out(group: Group, memory: GroupMemory, instance: Instance, cause: str, now: float) -> Step:
    """Begin to terminate an instance of the group's; hooks for terminating hold it first."""
    started = Step(memory, (_terminating(instance.id, cause, now),))
    hooks = hooks_for(group, TERMINATING)
    if not hooks or instance.vanished is not None:
        return started.then(_proceed(memory, instance, Event.GOES, now, ""))
    held = moved(instance, Event.GOES_HELD, holds=holds_of(hooks, now))
    waiting = changed(memory, held, now, told(hooks))
    return started.then(replace(waiting, drain=(instance.id,)))


def rest(memory: GroupMemory, instance: Instance, now: float) -> Step:
    """Put an instance in service on standby, where it does not count towards the capacity."""
    return changed(memory, moved(instance, Event.RESTS), now, "")


def come_back(memory: GroupMemory, instance: Instance, now: float) -> Step:
    """Take an instance from standby into service again; its warm-up begins anew (assumed)."""
    return changed(memory, moved(instance, Event.RETURNS, in_service_at=now), now, "")


def detach(memory: GroupMemory, instance: Instance, now: float) -> Step:
    """Let an instance go on without the group."""
    step = changed(memory, moved(instance, Event.DETACHES), now, "")
    left = tuple(item for item in memory.instances if item.id != instance.id)
    return replace(step, memory=replace(memory, instances=left))


def _forget(memory: GroupMemory, instance: Instance, detail: str, now: float) -> Step:
    left = tuple(item for item in memory.instances if item.id != instance.id)
    changed = InstanceChanged(now, instance.id, LifecycleState.TERMINATED, detail)
    return Step(_finished(replace(memory, instances=left), now), (changed,))


def _proceed(
    memory: GroupMemory, instance: Instance, event: Event, now: float, detail: str
) -> Step:
    if instance.vanished is not None:  # there is nothing left to end
        return _forget(memory, instance, instance.vanished, now)
    leaving = moved(instance, event)
    return replace(changed(memory, leaving, now, detail), terminate=(instance.id,))


def _ready(group: Group, memory: GroupMemory, instance: Instance, now: float, detail: str) -> Step:
    """Let an instance that no hook holds any more into service, or into the warm pool."""
    if instance.state in PREPARING:
        event = PREPARED_BY["Stopped" if group.warm_pool is None else group.warm_pool.state]
        step = changed(memory, moved(instance, event), now, detail)
        return step if event is Event.STAYS_UP else replace(step, stop=(instance.id,))
    event = Event.READY if instance.state is LifecycleState.PENDING_WAIT else Event.BOOTS
    # Scale-in protection begins here ("Use instance scale-in protection").
    serving = moved(
        instance, event, in_service_at=now, protected=instance.protected or group.protects
    )
    step = changed(memory, serving, now, detail)
    return replace(step, memory=_finished(step.memory, now))


def _finished(memory: GroupMemory, now: float) -> GroupMemory:
    """Begin an open cooldown anew, as an instance has launched or terminated."""
    cooldown = memory.cooldown
    if cooldown is None or not cooldown.open:
        return memory
    return replace(memory, cooldown=replace(cooldown, since=now, open=memory.in_progress()))


def changed(memory: GroupMemory, instance: Instance, now: float, detail: str) -> Step:
    """Return the group with an instance as it is now, and the fact of its state."""
    fact = InstanceChanged(now, instance.id, instance.state, detail)
    return Step(_with(memory, instance), (fact,))


def moved(instance: Instance, event: Event, **changes: Any) -> Instance:  # noqa: ANN401
    """Return an instance after an event, in the state that the table of transitions has for it."""
    return replace(instance, state=after(instance.state, event), **{"holds": ()} | changes)


def _with(memory: GroupMemory, instance: Instance) -> GroupMemory:
    instances = tuple(instance if item.id == instance.id else item for item in memory.instances)
    return replace(memory, instances=instances)


def _terminating(instance_id: str, cause: str, now: float) -> ActivityStarted:
    description = f"Terminating EC2 instance: {instance_id}"
    return ActivityStarted(now, "terminate", instance_id, description, cause)
