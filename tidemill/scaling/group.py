"""The Auto Scaling group: instances through their lifecycle, hooks, and the way to `desired`.

Rules: EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling instance lifecycle" and "Amazon EC2
Auto Scaling lifecycle hooks".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tidemill.scaling.group_metrics import group_datapoints, group_metric
from tidemill.scaling.health import replacement_range, surge
from tidemill.scaling.hooks import (
    ABANDON,
    CONTINUE,
    LAUNCHING,
    TERMINATING,
    TIMED_OUT,
    find_hook,
    global_timeout,
    holds_of,
    hooks_for,
    prolonged,
    released,
    told,
)
from tidemill.scaling.instances import (
    HEALTH_CHECK,
    LAUNCH,
    REPLACE_UNHEALTHY,
    TERMINATE,
    GroupMemory,
    Instance,
    Step,
)
from tidemill.scaling.lifecycle import (
    LEAVING,
    PREPARING,
    WANTED,
    WARM,
    Event,
    LifecycleState,
    after,
)
from tidemill.scaling.policy import Capacity
from tidemill.scaling.termination import choose_victim
from tidemill.scaling.timeline import ActivityStarted, InstanceChanged, stamp
from tidemill.scaling.warm_pool import PREPARED_BY, next_prepared, pool_size

if TYPE_CHECKING:
    from tidemill.scaling.spec import Group, LifecycleHook

__all__ = [
    "ABANDON",
    "CONTINUE",
    "LAUNCHING",
    "TERMINATING",
    "TIMED_OUT",
    "GroupMemory",
    "Instance",
    "LifecycleState",
    "Step",
    "choose_victim",
    "global_timeout",
    "group_datapoints",
    "group_metric",
]

BOOTING = frozenset({LifecycleState.PENDING, LifecycleState.WARMED_PENDING})
LEAVING_THE_GROUP = frozenset({LifecycleState.TERMINATING_WAIT, LifecycleState.TERMINATING_PROCEED})

LOST = "an EC2 health check indicating it has been terminated or stopped"
ALL_PROTECTED = (
    "Could not scale to desired capacity because all remaining instances are protected from "
    "scale-in."
)


def see_capacity(memory: GroupMemory, warmup: float, now: float) -> Capacity:
    """Return the group as a policy with this warm-up (seconds from InService) sees it."""
    settled = warming = terminating = 0
    for item in memory.instances:
        if item.state is LifecycleState.IN_SERVICE and now - (item.in_service_at or 0) >= warmup:
            settled += 1
        elif item.state in WANTED:
            warming += 1
        elif item.state in LEAVING_THE_GROUP:
            terminating += 1
    return Capacity(memory.desired, settled, warming, terminating)


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
        held = _moved(instance, Event.BOOTS_HELD, holds=holds_of(hooks, now))
        return _changed(memory, held, now, told(hooks))
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


def replace_unhealthy(group: Group, memory: GroupMemory, now: float) -> Step:
    """Begin to terminate unhealthy instances, as many at a time as the group allows.

    So many stay in service, or are launched first, as its maintenance policy says.
    """
    step = Step(memory)
    unhealthy = [item for item in memory.serving() if item.unhealthy]
    if not unhealthy or not memory.suspended.keys().isdisjoint((REPLACE_UNHEALTHY, TERMINATE)):
        return step
    least = replacement_range(group, memory.desired)[0]
    for instance in unhealthy[: max(0, len(memory.serving()) - least)]:
        cause = (
            f"At {stamp(now)} an instance was taken out of service in response to "
            f"{instance.unhealthy}."
        )
        # Whatever is launched in its place is not the last policy's doing.
        bare = replace(step.memory, cause="")
        step = step.then(take_out(group, bare, instance, cause, now))
    return step


def reconcile(group: Group, memory: GroupMemory, now: float) -> Step:
    """Launch or terminate until as many instances as desired are in service or on their way.

    Protected instances stay, even if more of them are left than desired. A suspended Launch or
    Terminate leaves the difference as it is until it is resumed. The warm pool comes last.
    """
    step = Step(memory)
    actual = len(memory.wanted())
    wanted = memory.desired
    if group.maintenance is not None:
        wanted += surge(group, memory)
    if LAUNCH not in memory.suspended:
        for number in range(actual, wanted):
            step = step.then(_launch(group, step.memory, number, now))
    surplus = actual - wanted
    if surplus > 0 and TERMINATE not in memory.suspended:
        for number in range(actual, actual - min(surplus, len(memory.expendable())), -1):
            victim = choose_victim(step.memory, group.termination, now)
            step = step.then(_scale_in(group, step.memory, victim, number, now))
        step = step.then(_say_if_stuck(step.memory, now))
    elif memory.stuck:
        step = replace(step, memory=replace(step.memory, stuck=False))
    if group.warm_pool is not None:
        step = step.then(_fill_pool(group, step.memory, now))
    return step


def take_out(group: Group, memory: GroupMemory, instance: Instance, cause: str, now: float) -> Step:
    """Begin to terminate an instance of the group's; hooks for terminating hold it first."""
    started = Step(memory, (_terminating(instance.id, cause, now),))
    hooks = hooks_for(group, TERMINATING)
    if not hooks or instance.vanished is not None:
        return started.then(_proceed(memory, instance, Event.GOES, now, ""))
    held = _moved(instance, Event.GOES_HELD, holds=holds_of(hooks, now))
    waiting = _changed(memory, held, now, told(hooks))
    return started.then(replace(waiting, drain=(instance.id,)))


def rest(memory: GroupMemory, instance: Instance, now: float) -> Step:
    """Put an instance in service on standby, where it does not count towards the capacity."""
    return _changed(memory, _moved(instance, Event.RESTS), now, "")


def come_back(memory: GroupMemory, instance: Instance, now: float) -> Step:
    """Take an instance from standby into service again; its warm-up begins anew (assumed)."""
    return _changed(memory, _moved(instance, Event.RETURNS, in_service_at=now), now, "")


def detach(memory: GroupMemory, instance: Instance, now: float) -> Step:
    """Let an instance go on without the group."""
    step = _changed(memory, _moved(instance, Event.DETACHES), now, "")
    left = tuple(item for item in memory.instances if item.id != instance.id)
    return replace(step, memory=replace(memory, instances=left))


def _launch(group: Group, memory: GroupMemory, actual: int, now: float) -> Step:
    """Take an instance from the warm pool where one is ready, else start a new one."""
    cause = (
        f"{memory.cause}  At {stamp(now)} an instance was started in response to a difference "
        f"between desired and actual capacity, increasing the capacity from {actual} to "
        f"{actual + 1}."
    ).strip()
    warm = next_prepared(memory)
    if warm is None:
        started = _new(memory, LifecycleState.PENDING, now)
        description = f"Launching a new EC2 instance: {started.id}"
        return _started(
            memory, started, ActivityStarted(now, "launch", started.id, description, cause)
        )
    needed = _moved(warm, Event.NEEDED, prepared=True)
    description = f"Launching a new EC2 instance from warm pool: {warm.id}"
    fact = ActivityStarted(now, "launch", warm.id, description, cause)
    step = Step(memory, (fact,)).then(_changed(memory, needed, now, ""))
    if warm.state is LifecycleState.WARMED_RUNNING:  # it runs already
        return step.then(booted(group, step.memory, warm.id, now))
    return replace(step, launch=(warm.id,))


def _fill_pool(group: Group, memory: GroupMemory, now: float) -> Step:
    """Prepare what the warm pool lacks, or terminate what it has too many of."""
    step = Step(memory)
    pool = memory.warm()
    size = pool_size(group, memory)
    if LAUNCH not in memory.suspended:
        for number in range(len(pool), size):
            started = _new(step.memory, LifecycleState.WARMED_PENDING, now)
            description = f"Launching a new EC2 instance into warm pool: {started.id}"
            cause = (
                f"At {stamp(now)} an instance was started in response to a difference between "
                f"desired and actual capacity of the warm pool, increasing it from {number} to "
                f"{number + 1}."
            )
            told_so = ActivityStarted(now, "prepare", started.id, description, cause)
            step = step.then(_started(step.memory, started, told_so))
    if TERMINATE not in memory.suspended:
        for number in range(len(pool), size, -1):
            cause = (
                f"At {stamp(now)} an instance was taken out of the warm pool, shrinking it from "
                f"{number} to {number - 1}."
            )
            step = step.then(take_out(group, step.memory, step.memory.warm()[-1], cause, now))
    return step


def _new(memory: GroupMemory, state: LifecycleState, now: float) -> Instance:
    return Instance(f"i-{memory.launched + 1:017x}", state, now)


def _started(memory: GroupMemory, instance: Instance, activity: ActivityStarted) -> Step:
    return Step(
        replace(memory, instances=(*memory.instances, instance), launched=memory.launched + 1),
        (activity, InstanceChanged(activity.at, instance.id, instance.state)),
        launch=(instance.id,),
    )


def _scale_in(
    group: Group, memory: GroupMemory, instance: Instance, actual: int, now: float
) -> Step:
    cause = (
        f"{memory.cause}  At {stamp(now)} an instance was taken out of service in response to a "
        f"difference between desired and actual capacity, shrinking the capacity from {actual} "
        f"to {actual - 1}."
    ).strip()
    return take_out(group, memory, instance, cause, now)


def _say_if_stuck(memory: GroupMemory, now: float) -> Step:
    stuck = len(memory.wanted()) > memory.desired
    told = replace(memory, stuck=stuck)
    if memory.stuck or not stuck:
        return Step(told)
    return Step(told, (ActivityStarted(now, "scale in", "", ALL_PROTECTED, memory.cause),))


def _forget(memory: GroupMemory, instance: Instance, detail: str, now: float) -> Step:
    left = tuple(item for item in memory.instances if item.id != instance.id)
    changed = InstanceChanged(now, instance.id, LifecycleState.TERMINATED, detail)
    return Step(_finished(replace(memory, instances=left), now), (changed,))


def _proceed(
    memory: GroupMemory, instance: Instance, event: Event, now: float, detail: str
) -> Step:
    if instance.vanished is not None:  # there is nothing left to end
        return _forget(memory, instance, instance.vanished, now)
    leaving = _moved(instance, event)
    return replace(_changed(memory, leaving, now, detail), terminate=(instance.id,))


def _ready(group: Group, memory: GroupMemory, instance: Instance, now: float, detail: str) -> Step:
    """Let an instance that no hook holds any more into service, or into the warm pool."""
    if instance.state in PREPARING:
        event = PREPARED_BY["Stopped" if group.warm_pool is None else group.warm_pool.state]
        step = _changed(memory, _moved(instance, event), now, detail)
        return step if event is Event.STAYS_UP else replace(step, stop=(instance.id,))
    event = Event.READY if instance.state is LifecycleState.PENDING_WAIT else Event.BOOTS
    # Scale-in protection begins here ("Use instance scale-in protection").
    serving = _moved(
        instance, event, in_service_at=now, protected=instance.protected or group.protects
    )
    step = _changed(memory, serving, now, detail)
    return replace(step, memory=_finished(step.memory, now))


def _finished(memory: GroupMemory, now: float) -> GroupMemory:
    """Begin an open cooldown anew, as an instance has launched or terminated."""
    cooldown = memory.cooldown
    if cooldown is None or not cooldown.open:
        return memory
    return replace(memory, cooldown=replace(cooldown, since=now, open=memory.in_progress()))


def _changed(memory: GroupMemory, instance: Instance, now: float, detail: str) -> Step:
    fact = InstanceChanged(now, instance.id, instance.state, detail)
    return Step(_with(memory, instance), (fact,))


def _moved(instance: Instance, event: Event, **changes: Any) -> Instance:  # noqa: ANN401
    """Return an instance after an event, in the state that the table of transitions has for it."""
    return replace(instance, state=after(instance.state, event), **{"holds": ()} | changes)


def _with(memory: GroupMemory, instance: Instance) -> GroupMemory:
    instances = tuple(instance if item.id == instance.id else item for item in memory.instances)
    return replace(memory, instances=instances)


def _terminating(instance_id: str, cause: str, now: float) -> ActivityStarted:
    description = f"Terminating EC2 instance: {instance_id}"
    return ActivityStarted(now, "terminate", instance_id, description, cause)
