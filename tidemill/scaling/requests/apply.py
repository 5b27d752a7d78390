"""Requests of a user to the group, and the change that each makes at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tidemill.scaling.errors import RequestError, invalid
from tidemill.scaling.facts import Noted, stamp
from tidemill.scaling.group.health import USER_HEALTH_CHECK
from tidemill.scaling.group.hooks import ABANDON, CONTINUE, HookResult, find_hook
from tidemill.scaling.group.lifecycle import RETAINED, LifecycleState
from tidemill.scaling.group.memory import PROCESSES, Step
from tidemill.scaling.group.transitions import begin_termination, heartbeat, hook_completed
from tidemill.scaling.policies.dispatch import after_scaling
from tidemill.scaling.requests.commands import (
    CompleteLifecycleAction,
    DeleteGroup,
    DetachInstances,
    EnterStandby,
    ExecutePolicy,
    ExitStandby,
    RecordLifecycleActionHeartbeat,
    ResumeProcesses,
    SetDesiredCapacity,
    SetInstanceHealth,
    SetInstanceProtection,
    SuspendProcesses,
    TerminateInstance,
    TerminateInstances,
    UpdateGroup,
)
from tidemill.scaling.requests.execute_policy import (
    check_cooldown,
    find_policy,
    requested_outcome,
)
from tidemill.scaling.requests.members import (
    check_held,
    managed_instance,
    member_instance,
    terminable_instance,
)
from tidemill.scaling.requests.standby import (
    NOT_COUNTED,
    detach_instances,
    enter_standby,
    exit_standby,
)
from tidemill.scaling.spec import Limits

if TYPE_CHECKING:
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.requests.commands import Command
    from tidemill.scaling.spec import Fleet


@dataclass(frozen=True, slots=True)
class Applied:
    """The fleet and the group after a request, the facts, and the orders to the world.

    The next turn of the loop launches or terminates instances to reach the desired capacity.
    """

    fleet: Fleet
    memory: GroupMemory
    facts: tuple[Fact, ...] = ()
    drain: tuple[str, ...] = ()
    terminate: tuple[str, ...] = ()


def apply(  # noqa: C901, PLR0911, PLR0912 - one case for each command
    fleet: Fleet, memory: GroupMemory, command: Command, now: float
) -> Applied:
    """Apply a user's request to the group, by the rules of the EC2 Auto Scaling API reference.

    Args:
        fleet: the fleet of the template, changed by earlier requests.
        memory: the group as it is.
        command: the request.
        now: epoch seconds.

    Raises:
        RequestError: Auto Scaling would refuse the request; nothing is changed.
    """
    match command:
        case SetDesiredCapacity(desired, honor_cooldown):
            if honor_cooldown:
                check_cooldown(fleet, memory, now)
            return _set_desired(fleet, memory, desired, now)
        case UpdateGroup():
            return _update(fleet, memory, command, now)
        case DeleteGroup():
            return _delete(fleet, memory, now)
        case ExecutePolicy():
            return _execute(fleet, memory, command, now)
        case SetInstanceProtection(instances, protected):
            return Applied(fleet, _protect(fleet, memory, instances, protected=protected))
        case SetInstanceHealth():
            return Applied(fleet, _set_health(fleet, memory, command, now))
        case CompleteLifecycleAction(hook, instance, result):
            if result not in {CONTINUE, ABANDON}:
                raise invalid(f"The lifecycle action result is {CONTINUE} or {ABANDON}: {result}")
            check_held(memory, hook, instance)
            ended = HookResult(result, hook)
            return _applied(fleet, hook_completed(fleet.group, memory, instance, now, ended))
        case RecordLifecycleActionHeartbeat(hook, instance):
            check_held(memory, hook, instance)
            known = find_hook(fleet.group, hook)
            beaten = Step(memory) if known is None else heartbeat(memory, instance, known, now)
            return _applied(fleet, beaten)
        case TerminateInstance(instance, should_decrement):
            return _terminate(fleet, memory, (instance,), now, decrement=should_decrement)
        case TerminateInstances(instances, should_decrement):
            for each in instances:
                member_instance(fleet, memory, each)
            return _terminate(fleet, memory, instances, now, decrement=should_decrement)
        case EnterStandby(instances, decrement):
            rested = enter_standby(fleet, memory, instances, now, decrement=decrement)
            return _applied(fleet, rested)
        case ExitStandby(instances):
            return _applied(fleet, exit_standby(fleet, memory, instances, now))
        case DetachInstances(instances, decrement):
            detached = detach_instances(fleet, memory, instances, now, decrement=decrement)
            return _applied(fleet, detached)
        case SuspendProcesses(processes):
            fresh = dict.fromkeys(_known(processes), now)
            return Applied(fleet, replace(memory, suspended=fresh | dict(memory.suspended)))
        case ResumeProcesses(processes):
            resumed = _known(processes)
            left = {name: at for name, at in memory.suspended.items() if name not in resumed}
            return Applied(fleet, replace(memory, suspended=left))


def _applied(fleet: Fleet, step: Step) -> Applied:
    return Applied(fleet, step.memory, step.facts, step.drain, step.terminate)


def _delete(fleet: Fleet, memory: GroupMemory, now: float) -> Applied:
    if memory.instances:
        raise RequestError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot "
            "instance request(s) still in the group.",
        )
    return Applied(fleet, replace(memory, deleted=True), (Noted(now, "the group is deleted"),))


def _change_desired(
    fleet: Fleet, memory: GroupMemory, desired: int, why: str, now: float
) -> Applied:
    """Change the desired capacity, and keep the cause for the activities that follow."""
    if desired == memory.desired:
        return Applied(fleet, memory)
    cause = (
        f"At {stamp(now)} a user request {why} changing the desired capacity from "
        f"{memory.desired} to {desired}."
    )
    return Applied(fleet, replace(memory, desired=desired, cause=cause), (Noted(now, cause),))


def _set_desired(fleet: Fleet, memory: GroupMemory, desired: int, now: float) -> Applied:
    low, high = memory.limits(fleet.group)
    refused = f"New SetDesiredCapacity value {desired} is"
    if desired < low:
        raise invalid(f"{refused} below min value {low} for the AutoScalingGroup.")
    if desired > high:
        raise invalid(f"{refused} above max value {high} for the AutoScalingGroup.")
    return _change_desired(fleet, memory, desired, "explicitly set group desired capacity", now)


def _update(fleet: Fleet, memory: GroupMemory, command: UpdateGroup, now: float) -> Applied:
    """Change the limits; without a desired capacity in the command, move it into the limits."""
    low, high = memory.limits(fleet.group)
    low = low if command.min_size is None else command.min_size
    high = high if command.max_size is None else command.max_size
    if low < 0:
        raise invalid(f"Min bound, {low}, must not be negative")
    if high < low:
        raise invalid(f"Max bound, {high}, must be greater than or equal to min bound, {low}")
    desired = command.desired
    if desired is None:
        desired = Limits(low, high).clamp(memory.desired)
    if not low <= desired <= high:
        raise invalid(
            f"Desired capacity:{desired} must be between the specified min size:{low} and max "
            f"size:{high}"
        )
    group = replace(fleet.group, min_size=low, max_size=high)
    why = f"update of AutoScalingGroup constraints to min: {low}, max: {high}, desired: {desired}"
    # These limits replace those that a scheduled action has set.
    own = replace(memory, min_size=None, max_size=None)
    return _change_desired(replace(fleet, group=group), own, desired, why, now)


def _execute(fleet: Fleet, memory: GroupMemory, command: ExecutePolicy, now: float) -> Applied:
    policy = find_policy(fleet, command.policy)
    outcome = requested_outcome(fleet, memory, policy, command, now)
    if outcome.desired is None:
        text = f"a user request executed policy {policy.name}, which did nothing: {outcome.held}"
        return Applied(fleet, memory, (Noted(now, text),))
    changed = _change_desired(fleet, memory, outcome.desired, f"executed policy {policy.name}", now)
    return replace(changed, memory=after_scaling(changed.memory, policy, now))


def _protect(
    fleet: Fleet, memory: GroupMemory, ids: tuple[str, ...], *, protected: bool
) -> GroupMemory:
    for instance_id in ids:
        instance = member_instance(fleet, memory, instance_id)
        if instance.state is not LifecycleState.IN_SERVICE:
            raise invalid(
                f"The instance {instance_id} is not in InService or EnteringStandby or Standby."
            )
        memory = memory.with_instance(replace(instance, protected=protected))
    return memory


def _set_health(
    fleet: Fleet, memory: GroupMemory, command: SetInstanceHealth, now: float
) -> GroupMemory:
    """Mark an instance as healthy or unhealthy; the grace period starts with InService."""
    instance = managed_instance(memory, command.instance)
    age = 0.0 if instance.in_service_at is None else now - instance.in_service_at
    if command.unhealthy and command.respect_grace and age < fleet.group.grace:
        return memory
    marked = replace(instance, unhealthy=USER_HEALTH_CHECK if command.unhealthy else "")
    return memory.with_instance(marked)


def _terminate(
    fleet: Fleet, memory: GroupMemory, ids: tuple[str, ...], now: float, *, decrement: bool
) -> Applied:
    """Terminate each instance; the request is refused as a whole if one of them cannot be."""
    step = Step(memory)
    for instance_id in ids:
        step = step.then(_terminated(fleet, step.memory, instance_id, now, decrement=decrement))
    return _applied(fleet, step)


def _terminated(
    fleet: Fleet, memory: GroupMemory, instance_id: str, now: float, *, decrement: bool
) -> Step:
    instance = terminable_instance(memory, instance_id)
    low, before = memory.limits(fleet.group).low, memory.desired
    if decrement and instance.state in RETAINED:
        raise invalid(NOT_COUNTED.format(instance=instance_id))
    if decrement and before <= low:
        raise invalid(
            f"Currently, desiredSize equals minSize ({low}). Terminating instance without "
            "replacement will violate group's min size constraint. Either set "
            "shouldDecrementDesiredCapacity flag to false or lower group's min size."
        )
    after = before - 1 if decrement else before
    shrinking = f", shrinking the capacity from {before} to {after}" if decrement else ""
    cause = (
        f"At {stamp(now)} instance {instance_id} was taken out of service in response to a user "
        f"request{shrinking}."
    )
    wanting = replace(memory.unattributed(), desired=after)
    return begin_termination(fleet.group, wanting, instance, cause, now)


def _known(processes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the named processes, or all processes when none is named."""
    for name in processes:
        if name not in PROCESSES:
            raise invalid(f"{name} is no scaling process; there are: {', '.join(PROCESSES)}")
    return processes or PROCESSES
