"""The Auto Scaling group: instances through their lifecycle, hooks, and the way to `desired`.

Rules: EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling instance lifecycle" and "Amazon EC2
Auto Scaling lifecycle hooks".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tidemill.scaling.metrics import Datapoint, StatisticSet
from tidemill.scaling.policy import Capacity
from tidemill.scaling.spec import Metric
from tidemill.scaling.timeline import ActivityStarted, InstanceChanged, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.spec import Group, LifecycleHook
    from tidemill.scaling.timeline import Fact

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
CONTINUE = "CONTINUE"
ABANDON = "ABANDON"
TIMED_OUT = "the hook timed out"


class LifecycleState(StrEnum):
    """States of an instance, as DescribeAutoScalingInstances names them."""

    PENDING = "Pending"
    PENDING_WAIT = "Pending:Wait"
    IN_SERVICE = "InService"
    TERMINATING_WAIT = "Terminating:Wait"
    TERMINATING_PROCEED = "Terminating:Proceed"
    TERMINATED = "Terminated"


COMING = frozenset({LifecycleState.PENDING, LifecycleState.PENDING_WAIT})
WANTED = COMING | {LifecycleState.IN_SERVICE}
"""The states whose instances count towards the desired capacity."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of the group; times in epoch seconds, `hook_until` while a hook holds it."""

    id: str
    state: LifecycleState
    launched_at: float
    in_service_at: float | None = None
    hook_until: float | None = None


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """The group's own memory: `launched` counts launches ever, `cause` tells the last change."""

    desired: int
    instances: tuple[Instance, ...] = ()
    launched: int = 0
    cause: str = ""

    def find(self, instance_id: str) -> Instance | None:
        """Return the instance with this id, if the group still has it."""
        return next((item for item in self.instances if item.id == instance_id), None)

    def wanted(self) -> tuple[Instance, ...]:
        """Return the instances that count towards the desired capacity."""
        return tuple(item for item in self.instances if item.state in WANTED)


@dataclass(frozen=True, slots=True)
class Step:
    """A change of the group: its new memory, what the world has to do, and the facts.

    `launch` starts instances, `drain` tells instances that they have to go (a hook holds them),
    `terminate` ends them.
    """

    memory: GroupMemory
    facts: tuple[Fact, ...] = ()
    launch: tuple[str, ...] = ()
    drain: tuple[str, ...] = ()
    terminate: tuple[str, ...] = ()

    def then(self, other: Step) -> Step:
        """Return both changes as one, the other after this."""
        return Step(
            other.memory,
            self.facts + other.facts,
            self.launch + other.launch,
            self.drain + other.drain,
            self.terminate + other.terminate,
        )


def hook_for(group: Group, transition: str) -> LifecycleHook | None:
    """Return the group's first hook for a transition."""
    return next((hook for hook in group.hooks if hook.transition == transition), None)


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
    held = replace(
        instance, state=LifecycleState.PENDING_WAIT, hook_until=now + hook.heartbeat_timeout
    )
    return _changed(memory, held, now, f"hook {hook.name}")


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
        launching = instance.state is LifecycleState.PENDING_WAIT
        hook = hook_for(group, LAUNCHING if launching else TERMINATING)
        result = CONTINUE if hook is None else hook.default_result
        step = step.then(hook_completed(step.memory, instance.id, now, result, TIMED_OUT))
    return step


def gone(memory: GroupMemory, instance_id: str, detail: str, now: float) -> Step:
    """Forget an instance that is not there any more, whether it was told to go or not."""
    instance = memory.find(instance_id)
    if instance is None:
        return Step(memory)
    facts: tuple[Fact, ...] = ()
    if instance.state in WANTED:
        cause = (
            f"At {stamp(now)} an instance was taken out of service in response to an EC2 health "
            "check indicating it has been terminated or stopped."
        )
        facts = (_terminating(instance_id, cause, now),)
        memory = replace(memory, cause="")
    left = tuple(item for item in memory.instances if item.id != instance_id)
    changed = InstanceChanged(now, instance_id, LifecycleState.TERMINATED, detail)
    return Step(replace(memory, instances=left), (*facts, changed))


def reconcile(group: Group, memory: GroupMemory, now: float) -> Step:
    """Launch or terminate until as many instances as desired are in service or on their way."""
    step = Step(memory)
    actual = len(memory.wanted())
    for number in range(actual, memory.desired):
        step = step.then(_launch(step.memory, number, now))
    for number in range(actual, memory.desired, -1):
        victim = choose_victim(step.memory)
        step = step.then(_terminate(group, step.memory, victim, number, now))
    return step


def choose_victim(memory: GroupMemory) -> Instance:
    """Return the instance that goes first on scale-in.

    With one zone and one launch template, AWS's default policy leaves the choice to billing
    hours and chance; ours is the oldest, so that runs repeat.
    """
    return min(memory.wanted(), key=lambda item: (item.launched_at, item.id))


def group_metric(group: Group, name: str) -> Metric:
    """Return a metric of the group."""
    return Metric("AWS/AutoScaling", name, (("AutoScalingGroupName", group.name),))


def group_datapoints(group: Group, memory: GroupMemory, minute: float) -> Iterator[Datapoint]:
    """Yield the group metrics that are turned on, for the minute that began at `minute`."""
    states = [item.state for item in memory.instances]
    values = {
        "GroupDesiredCapacity": memory.desired,
        "GroupInServiceInstances": states.count(LifecycleState.IN_SERVICE),
        "GroupMaxSize": group.max_size,
        "GroupMinSize": group.min_size,
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


def _terminate(
    group: Group, memory: GroupMemory, instance: Instance, actual: int, now: float
) -> Step:
    cause = (
        f"{memory.cause}  At {stamp(now)} an instance was taken out of service in response to a "
        f"difference between desired and actual capacity, shrinking the capacity from {actual} "
        f"to {actual - 1}."
    ).strip()
    started = Step(memory, (_terminating(instance.id, cause, now),))
    hook = hook_for(group, TERMINATING)
    if hook is None:
        return started.then(_proceed(memory, instance, now, ""))
    held = replace(
        instance, state=LifecycleState.TERMINATING_WAIT, hook_until=now + hook.heartbeat_timeout
    )
    waiting = _changed(memory, held, now, f"hook {hook.name}")
    return started.then(replace(waiting, drain=(instance.id,)))


def _proceed(memory: GroupMemory, instance: Instance, now: float, detail: str) -> Step:
    leaving = replace(instance, state=LifecycleState.TERMINATING_PROCEED, hook_until=None)
    return replace(_changed(memory, leaving, now, detail), terminate=(instance.id,))


def _into_service(memory: GroupMemory, instance: Instance, now: float, detail: str) -> Step:
    serving = replace(instance, state=LifecycleState.IN_SERVICE, in_service_at=now, hook_until=None)
    return _changed(memory, serving, now, detail)


def _changed(memory: GroupMemory, instance: Instance, now: float, detail: str) -> Step:
    instances = tuple(instance if item.id == instance.id else item for item in memory.instances)
    fact = InstanceChanged(now, instance.id, instance.state, detail)
    return Step(replace(memory, instances=instances), (fact,))


def _terminating(instance_id: str, cause: str, now: float) -> ActivityStarted:
    description = f"Terminating EC2 instance: {instance_id}"
    return ActivityStarted(now, "terminate", instance_id, description, cause)
