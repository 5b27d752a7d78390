"""What becomes of a request to take instances out of service, or out of the group, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tidemill.scaling.errors import invalid
from tidemill.scaling.facts import Noted, stamp
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import Step
from tidemill.scaling.group.transitions import come_back, detach, rest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.scaling.group.memory import GroupMemory, Instance
    from tidemill.scaling.spec import Fleet

IN_SERVICE = frozenset({LifecycleState.IN_SERVICE})
STANDBY = frozenset({LifecycleState.STANDBY})


@dataclass(frozen=True, slots=True)
class Move:
    """One way to move instances: what is done, from which states, the change of what is wanted."""

    do: Callable[[GroupMemory, Instance, float], Step]
    states: frozenset[LifecycleState]
    change: int
    told: str


def enter_standby(
    fleet: Fleet, memory: GroupMemory, ids: tuple[str, ...], now: float, *, decrement: bool
) -> Step:
    """Put instances on standby; without `decrement` others are launched in their place.

    Raises:
        RequestError: one of them is not in service, or the group would want too few.
    """
    move = Move(rest, IN_SERVICE, -1 if decrement else 0, "moved to standby")
    return _moved(fleet, memory, ids, move, now)


def exit_standby(fleet: Fleet, memory: GroupMemory, ids: tuple[str, ...], now: float) -> Step:
    """Take instances from standby into service again; the group wants as many more.

    Raises:
        RequestError: one of them is not on standby, or the group would want too many.
    """
    move = Move(come_back, STANDBY, 1, "moved out of standby")
    return _moved(fleet, memory, ids, move, now)


def detach_instances(
    fleet: Fleet, memory: GroupMemory, ids: tuple[str, ...], now: float, *, decrement: bool
) -> Step:
    """Let instances go on without the group; without `decrement` others take their place.

    Raises:
        RequestError: one of them is neither in service nor on standby, or the group would want
            too few.
    """
    move = Move(detach, IN_SERVICE | STANDBY, -1 if decrement else 0, "detached")
    return _moved(fleet, memory, ids, move, now)


def _moved(fleet: Fleet, memory: GroupMemory, ids: tuple[str, ...], move: Move, now: float) -> Step:
    """Move each instance; one that does not count already, as on standby, changes no capacity."""
    chosen = [_found(fleet, memory, instance_id, move) for instance_id in ids]
    change = move.change * sum(
        move.change > 0 or item.state is LifecycleState.IN_SERVICE for item in chosen
    )
    low, high = memory.limits(fleet.group)
    after = memory.desired + change
    if change and not low <= after <= high:
        raise invalid(
            f"The group would want {after} instances, where its limits are {low} and {high}."
        )
    step = Step(memory)
    for item in chosen:
        told = Noted(
            now,
            f"At {stamp(now)} instance {item.id} was {move.told} in response to a user request.",
        )
        step = step.then(Step(step.memory, (told,))).then(move.do(step.memory, item, now))
    # Whatever is launched in their place is not the last policy's doing.
    return replace(step, memory=replace(step.memory, desired=after, cause=""))


def _found(fleet: Fleet, memory: GroupMemory, instance_id: str, move: Move) -> Instance:
    instance = memory.find(instance_id)
    if instance is None:
        raise invalid(
            f"The instance {instance_id} is not part of Auto Scaling group {fleet.group.name}."
        )
    if instance.state not in move.states:
        named = " or ".join(sorted(move.states))
        raise invalid(f"The instance {instance_id} is not in {named}.")
    return instance
