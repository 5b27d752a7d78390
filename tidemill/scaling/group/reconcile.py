"""Reconciliation: launches and terminations that bring a group to its desired capacity.

Rules: EC2 Auto Scaling User Guide, "Set scaling limits for your Auto Scaling group" and "Health
checks for instances in an Auto Scaling group".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemill.scaling.facts import ActivityStarted, InstanceChanged, stamp
from tidemill.scaling.group.health import replaceable, surge
from tidemill.scaling.group.lifecycle import Event, LifecycleState
from tidemill.scaling.group.memory import (
    LAUNCH,
    REPLACE_UNHEALTHY,
    TERMINATE,
    GroupMemory,
    Instance,
    Step,
)
from tidemill.scaling.group.termination import choose_for_termination, choose_from_pool
from tidemill.scaling.group.transitions import (
    begin_termination,
    booted,
    changed,
    moved,
)
from tidemill.scaling.group.warm_pool import next_prepared, pool_size

if TYPE_CHECKING:
    from tidemill.scaling.spec import Group


ALL_PROTECTED = (
    "Could not scale to desired capacity because all remaining instances are protected from "
    "scale-in."
)


def replace_unhealthy(group: Group, memory: GroupMemory, now: float) -> Step:
    """Begin to terminate unhealthy instances, as many at a time as `replaceable` allows."""
    step = Step(memory)
    unhealthy = [item for item in memory.serving() if item.unhealthy]
    if not unhealthy or not memory.suspended.keys().isdisjoint((REPLACE_UNHEALTHY, TERMINATE)):
        return step
    for instance in replaceable(group, memory, unhealthy, now):
        cause = (
            f"At {stamp(now)} an instance was taken out of service in response to "
            f"{instance.unhealthy}."
        )
        step = step.then(begin_termination(group, step.memory.unattributed(), instance, cause, now))
    return step


def reconcile(group: Group, memory: GroupMemory, now: float) -> Step:
    """Launch or terminate until the desired number of instances is in service or pending.

    Protected instances are not terminated, even if there are more of them than desired. Nothing is
    launched while the process Launch is suspended, or terminated while Terminate is. The warm pool
    is filled last.
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
            chosen = choose_for_termination(step.memory, group.termination, now)
            step = step.then(_scale_in(group, step.memory, chosen, number, now))
        step = step.then(_report_if_stuck(step.memory, now))
    elif memory.stuck:
        step = replace(step, memory=replace(step.memory, stuck=False))
    if group.warm_pool is not None:
        step = step.then(_fill_pool(group, step.memory, now))
    return step


def _launch(group: Group, memory: GroupMemory, actual: int, now: float) -> Step:
    """Use an instance of the warm pool if one is ready, otherwise launch a new one."""
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
    needed = moved(warm, Event.NEEDED)
    description = f"Launching a new EC2 instance from warm pool: {warm.id}"
    fact = ActivityStarted(now, "launch", warm.id, description, cause)
    step = Step(memory, (fact,)).then(changed(memory, needed, now, ""))
    if warm.state is LifecycleState.WARMED_RUNNING:  # it runs already
        return step.then(booted(group, step.memory, warm.id, now))
    return replace(step, launch=(warm.id,))


def _fill_pool(group: Group, memory: GroupMemory, now: float) -> Step:
    """Prepare the instances that the warm pool lacks, or terminate its surplus."""
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
            activity = ActivityStarted(now, "prepare", started.id, description, cause)
            step = step.then(_started(step.memory, started, activity))
    if TERMINATE not in memory.suspended:
        for number in range(len(pool), size, -1):
            cause = (
                f"At {stamp(now)} an instance was taken out of the warm pool, shrinking it from "
                f"{number} to {number - 1}."
            )
            chosen = choose_from_pool(step.memory, now)
            step = step.then(begin_termination(group, step.memory, chosen, cause, now))
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
        f"to {actual - 1}.  At {stamp(now)} instance {instance.id} was selected for termination."
    ).strip()
    return begin_termination(group, memory, instance, cause, now)


def _report_if_stuck(memory: GroupMemory, now: float) -> Step:
    stuck = len(memory.wanted()) > memory.desired
    marked = replace(memory, stuck=stuck)
    if memory.stuck or not stuck:
        return Step(marked)
    return Step(marked, (ActivityStarted(now, "scale in", "", ALL_PROTECTED, memory.cause),))
