"""Requests that put instances on standby, return them to service, or detach them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tidemill.scaling.errors import invalid
from tidemill.scaling.facts import ActivityStarted, Noted, stamp
from tidemill.scaling.group.lifecycle import RETAINED, LifecycleState
from tidemill.scaling.group.memory import LAUNCH, Step
from tidemill.scaling.group.transitions import detach, move_to_standby, return_from_standby
from tidemill.scaling.requests.activities import MOVE
from tidemill.scaling.requests.members import member_instance

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.scaling.group.memory import GroupMemory, Instance
    from tidemill.scaling.spec import Fleet

NOT_COUNTED = (
    "The instance {instance} is retained and no part of the desired capacity: set "
    "ShouldDecrementDesiredCapacity to false."
)
"""The refusal of a request for a retained instance with a decrement. For DetachInstances this is
published ("Detach or attach instances"), for TerminateInstanceInAutoScalingGroup assumed."""
ENTERING, EXITING = "Moving EC2 instance to Standby", "Moving EC2 instance out of Standby"
DETACHING = "Detaching EC2 instance"
IN_SERVICE = frozenset({LifecycleState.IN_SERVICE})
STANDBY = frozenset({LifecycleState.STANDBY})


@dataclass(frozen=True, slots=True)
class Move:
    """A kind of request that moves instances: the transition, and the states it may start in.

    `change` is added to the desired capacity for each instance. `doing` begins the description of
    the activity, `done` is the verb of its cause.
    """

    do: Callable[[GroupMemory, Instance, float], Step]
    states: frozenset[LifecycleState]
    change: int
    doing: str
    done: str


def enter_standby(
    fleet: Fleet, memory: GroupMemory, ids: tuple[str, ...], now: float, *, decrement: bool
) -> Step:
    """Put instances on standby; without `decrement` others are launched to replace them.

    Raises:
        RequestError: one of them is not in service, or the desired capacity would be too small.
    """
    change = -1 if decrement else 0
    move = Move(move_to_standby, IN_SERVICE, change, ENTERING, "moved to standby")
    return _moved(fleet, memory, ids, move, now)


def exit_standby(fleet: Fleet, memory: GroupMemory, ids: tuple[str, ...], now: float) -> Step:
    """Return instances from standby to service; the desired capacity grows by as many.

    Raises:
        RequestError: the process Launch is suspended ("How suspended processes affect other
            processes"), one of them is not on standby, or the desired capacity would be too large.
    """
    if LAUNCH in memory.suspended:
        raise invalid("While the process Launch is suspended, no instance can exit standby.")
    move = Move(return_from_standby, STANDBY, 1, EXITING, "moved out of standby")
    return _moved(fleet, memory, ids, move, now)


def detach_instances(
    fleet: Fleet, memory: GroupMemory, ids: tuple[str, ...], now: float, *, decrement: bool
) -> Step:
    """Detach instances, which keep running; without `decrement` others replace them.

    Raises:
        RequestError: one of them is neither in service, on standby nor retained, a retained one
            would be decremented, or the desired capacity would be too small.
    """
    states = IN_SERVICE | STANDBY | RETAINED
    move = Move(detach, states, -1 if decrement else 0, DETACHING, "detached")
    retained = {item.id for item in memory.instances if item.state in RETAINED}
    for instance in ids:
        if decrement and instance in retained:
            raise invalid(NOT_COUNTED.format(instance=instance))
    return _moved(fleet, memory, ids, move, now)


def _moved(fleet: Fleet, memory: GroupMemory, ids: tuple[str, ...], move: Move, now: float) -> Step:
    """Move each instance, and change the desired capacity for each.

    This includes detaching one on standby, which the desired capacity does not contain: it "might
    cause other instances to terminate unexpectedly" ("Detach or attach instances").
    """
    chosen = [_found(fleet, memory, instance_id, move) for instance_id in ids]
    change = move.change * len(chosen)
    low, high = memory.limits(fleet.group)
    after = memory.desired + change
    if change and not low <= after <= high:
        raise invalid(
            f"The desired capacity would be {after}, outside the limits {low} and {high}."
        )
    step = Step(memory)
    direction = "shrinking" if move.change < 0 else "increasing"
    for number, item in enumerate(chosen):
        before = memory.desired + number * move.change
        capacity = f", {direction} the capacity from {before} to {before + move.change}"
        cause = (
            f"At {stamp(now)} instance {item.id} was {move.done} in response to a user request"
            f"{capacity if move.change else ''}."
        )
        description = f"{move.doing}: {item.id}"
        facts = (Noted(now, cause), ActivityStarted(now, MOVE, item.id, description, cause))
        step = step.then(Step(step.memory, facts)).then(move.do(step.memory, item, now))
    return replace(step, memory=replace(step.memory.unattributed(), desired=after))


def _found(fleet: Fleet, memory: GroupMemory, instance_id: str, move: Move) -> Instance:
    instance = member_instance(fleet, memory, instance_id)
    if instance.state not in move.states:
        named = " or ".join(sorted(move.states))
        raise invalid(f"The instance {instance_id} is not in {named}.")
    return instance
