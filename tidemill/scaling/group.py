"""The Auto Scaling group: instances through their lifecycle, hooks, and the way to `desired`.

Rules: EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling instance lifecycle" and "Amazon EC2
Auto Scaling lifecycle hooks".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemill.scaling.instances import (
    COMING,
    HEALTH_CHECK,
    LAUNCH,
    REPLACE_UNHEALTHY,
    TERMINATE,
    WANTED,
    GroupMemory,
    Instance,
    LifecycleState,
    Step,
)
from tidemill.scaling.metrics import Datapoint, StatisticSet
from tidemill.scaling.policy import Capacity
from tidemill.scaling.spec import Metric
from tidemill.scaling.timeline import ActivityStarted, InstanceChanged, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.spec import Group, LifecycleHook

__all__ = ["GroupMemory", "Instance", "LifecycleState", "Step"]

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
CONTINUE = "CONTINUE"
ABANDON = "ABANDON"
TIMED_OUT = "the hook timed out"
LOST = "an EC2 health check indicating it has been terminated or stopped"
ALL_PROTECTED = (
    "Could not scale to desired capacity because all remaining instances are protected from "
    "scale-in."
)

GLOBAL_TIMEOUT = 48 * 3600
GLOBAL_HEARTBEATS = 100
"""A hook holds an instance 48 hours or 100 heartbeat timeouts at most, whichever is less, however
many heartbeats come (API reference, LifecycleHook)."""


def hook_for(group: Group, transition: str) -> LifecycleHook | None:
    """Return the group's first hook for a transition."""
    return next((hook for hook in group.hooks if hook.transition == transition), None)


def hook_of(group: Group, instance: Instance) -> LifecycleHook | None:
    """Return the hook that holds an instance, if one does."""
    if instance.hook_until is None:
        return None
    launching = instance.state is LifecycleState.PENDING_WAIT
    return hook_for(group, LAUNCHING if launching else TERMINATING)


def global_timeout(hook: LifecycleHook) -> int:
    """Return the seconds for which a hook holds an instance at most."""
    return min(GLOBAL_TIMEOUT, GLOBAL_HEARTBEATS * hook.heartbeat_timeout)


def see_capacity(memory: GroupMemory, warmup: float, now: float) -> Capacity:
    """Return the group as a policy with this warm-up (seconds from InService) sees it."""
    in_service = [i for i in memory.instances if i.state is LifecycleState.IN_SERVICE]
    settled = [i for i in in_service if now - (i.in_service_at or 0) >= warmup]
    return Capacity(
        desired=memory.desired,
        settled=len(settled),
        warming=len(memory.wanted()) - len(settled),
        terminating=len(memory.instances) - len(memory.wanted()),
    )


def booted(group: Group, memory: GroupMemory, instance_id: str, now: float) -> Step:
    """Take an instance that runs by now into service, or hold it by a launch hook."""
    instance = memory.find(instance_id)
    if instance is None or instance.state is not LifecycleState.PENDING:
        return Step(memory)
    hook = hook_for(group, LAUNCHING)
    if hook is None:
        return _into_service(memory, instance, now, "")
    return _held(memory, instance, LifecycleState.PENDING_WAIT, hook, now)


def hook_completed(
    memory: GroupMemory, instance_id: str, now: float, result: str = CONTINUE, detail: str = ""
) -> Step:
    """Let go of an instance that a hook holds, with the hook's result, CONTINUE or ABANDON.

    An abandoned launch ends in termination. One that terminates goes on either way.
    """
    instance = memory.find(instance_id)
    if instance is None or instance.hook_until is None:
        return Step(memory)
    if instance.state is not LifecycleState.PENDING_WAIT:
        return _proceed(memory, instance, now, detail)
    if result == ABANDON:
        # Whatever is launched in its place is not the last policy's doing.
        return _proceed(replace(memory, cause=""), instance, now, detail)
    return _into_service(memory, instance, now, detail)


def expire_hooks(group: Group, memory: GroupMemory, now: float) -> Step:
    """Let go of every instance whose hook's heartbeat timeout is over, with its default result."""
    step = Step(memory)
    for instance in memory.instances:
        if instance.hook_until is None or now < instance.hook_until:
            continue
        hook = hook_of(group, instance)
        result = CONTINUE if hook is None else hook.default_result
        step = step.then(hook_completed(step.memory, instance.id, now, result, TIMED_OUT))
    return step


def heartbeat(group: Group, memory: GroupMemory, instance_id: str, now: float) -> Step:
    """Give an instance that a hook holds the hook's heartbeat timeout again, from now on."""
    instance = memory.find(instance_id)
    hook = None if instance is None else hook_of(group, instance)
    if instance is None or hook is None:
        return Step(memory)
    until = now + hook.heartbeat_timeout
    if instance.hook_limit is not None:
        until = min(until, instance.hook_limit)
    return Step(_with(memory, replace(instance, hook_until=until)))


def gone(memory: GroupMemory, instance_id: str, detail: str, now: float) -> Step:
    """Forget an instance that is not there any more, whether it was told to go or not.

    One that was not told to go stays in the group while a process is suspended without which
    nothing replaces it; `replace_vanished` takes it out when the process is resumed.
    """
    instance = memory.find(instance_id)
    if instance is None:
        return Step(memory)
    if instance.state not in WANTED:
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


def reconcile(group: Group, memory: GroupMemory, now: float) -> Step:
    """Launch or terminate until as many instances as desired are in service or on their way.

    Protected instances stay, even if more of them are left than desired. A suspended Launch or
    Terminate leaves the difference as it is until it is resumed.
    """
    step = Step(memory)
    actual = len(memory.wanted())
    if LAUNCH not in memory.suspended:
        for number in range(actual, memory.desired):
            step = step.then(_launch(step.memory, number, now))
    surplus = actual - memory.desired
    if surplus <= 0 or TERMINATE in memory.suspended:
        return replace(step, memory=replace(step.memory, stuck=False))
    for number in range(actual, actual - min(surplus, len(memory.expendable())), -1):
        victim = choose_victim(step.memory)
        step = step.then(_scale_in(group, step.memory, victim, number, now))
    return step.then(_say_if_stuck(step.memory, now))


def choose_victim(memory: GroupMemory) -> Instance:
    """Return the instance that goes first on scale-in.

    With one zone and one launch template, AWS's default policy leaves the choice to billing
    hours and chance; ours is the oldest, so that runs repeat. Unhealthy ones go before all others
    ("Control which Auto Scaling instances terminate during scale in").

    Raises:
        ValueError: there is none to choose from.
    """
    return min(
        memory.expendable(), key=lambda item: (item.vanished is None, item.launched_at, item.id)
    )


def take_out(group: Group, memory: GroupMemory, instance: Instance, cause: str, now: float) -> Step:
    """Begin to terminate an instance of the group's; a hook for terminating holds it first."""
    started = Step(memory, (_terminating(instance.id, cause, now),))
    hook = hook_for(group, TERMINATING)
    if hook is None or instance.vanished is not None:
        return started.then(_proceed(memory, instance, now, ""))
    waiting = _held(memory, instance, LifecycleState.TERMINATING_WAIT, hook, now)
    return started.then(replace(waiting, drain=(instance.id,)))


def group_metric(group: Group, name: str) -> Metric:
    """Return a metric of the group."""
    return Metric("AWS/AutoScaling", name, (("AutoScalingGroupName", group.name),))


def group_datapoints(group: Group, memory: GroupMemory, minute: float) -> Iterator[Datapoint]:
    """Yield the group metrics that are turned on, for the minute that began at `minute`."""
    states = [item.state for item in memory.instances]
    low, high = memory.limits(group)
    values = {
        "GroupDesiredCapacity": memory.desired,
        "GroupInServiceInstances": states.count(LifecycleState.IN_SERVICE),
        "GroupMaxSize": high,
        "GroupMinSize": low,
        "GroupPendingInstances": sum(state in COMING for state in states),
        "GroupTerminatingInstances": sum(state not in WANTED for state in states),
        "GroupTotalInstances": len(states),
    }
    for name, value in values.items():
        if name in group.metrics:
            yield Datapoint(group_metric(group, name), minute, StatisticSet.of(value))


def _launch(memory: GroupMemory, actual: int, now: float) -> Step:
    instance = Instance(f"i-{memory.launched + 1:017x}", LifecycleState.PENDING, now)
    cause = (
        f"{memory.cause}  At {stamp(now)} an instance was started in response to a difference "
        f"between desired and actual capacity, increasing the capacity from {actual} to "
        f"{actual + 1}."
    ).strip()
    description = f"Launching a new EC2 instance: {instance.id}"
    return Step(
        replace(memory, instances=(*memory.instances, instance), launched=memory.launched + 1),
        (
            ActivityStarted(now, "launch", instance.id, description, cause),
            InstanceChanged(now, instance.id, instance.state),
        ),
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


def _held(
    memory: GroupMemory,
    instance: Instance,
    state: LifecycleState,
    hook: LifecycleHook,
    now: float,
) -> Step:
    held = replace(
        instance,
        state=state,
        hook_until=now + hook.heartbeat_timeout,
        hook_limit=now + global_timeout(hook),
    )
    return _changed(memory, held, now, f"hook {hook.name}")


def _forget(memory: GroupMemory, instance: Instance, detail: str, now: float) -> Step:
    left = tuple(item for item in memory.instances if item.id != instance.id)
    changed = InstanceChanged(now, instance.id, LifecycleState.TERMINATED, detail)
    return Step(_finished(replace(memory, instances=left), now), (changed,))


def _proceed(memory: GroupMemory, instance: Instance, now: float, detail: str) -> Step:
    if instance.vanished is not None:  # there is nothing left to end
        return _forget(memory, instance, instance.vanished, now)
    leaving = replace(instance, state=LifecycleState.TERMINATING_PROCEED, hook_until=None)
    return replace(_changed(memory, leaving, now, detail), terminate=(instance.id,))


def _into_service(memory: GroupMemory, instance: Instance, now: float, detail: str) -> Step:
    serving = replace(instance, state=LifecycleState.IN_SERVICE, in_service_at=now, hook_until=None)
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


def _with(memory: GroupMemory, instance: Instance) -> GroupMemory:
    instances = tuple(instance if item.id == instance.id else item for item in memory.instances)
    return replace(memory, instances=instances)


def _terminating(instance_id: str, cause: str, now: float) -> ActivityStarted:
    description = f"Terminating EC2 instance: {instance_id}"
    return ActivityStarted(now, "terminate", instance_id, description, cause)
