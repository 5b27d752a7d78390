"""Members of the group: finds the instance that a request names, or refuses the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.errors import RequestError, invalid
from tidemill.scaling.group.lifecycle import POOLED, RETAINED, WANTED, LifecycleState
from tidemill.scaling.requests.activities import activity_id

if TYPE_CHECKING:
    from tidemill.scaling.group.memory import GroupMemory, Instance
    from tidemill.scaling.spec import Fleet


def managed_instance(memory: GroupMemory, instance_id: str) -> Instance:
    """Return an instance for a request that does not name the group.

    Raises:
        RequestError: no group has the instance.
    """
    instance = memory.find(instance_id)
    if instance is None:
        raise invalid(
            f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
        )
    return instance


def member_instance(fleet: Fleet, memory: GroupMemory, instance_id: str) -> Instance:
    """Return an instance for a request that also names the group.

    Raises:
        RequestError: the group does not have the instance.
    """
    instance = memory.find(instance_id)
    if instance is None:
        raise invalid(
            f"The instance {instance_id} is not part of Auto Scaling group {fleet.group.name}."
        )
    return instance


def terminable_instance(memory: GroupMemory, instance_id: str) -> Instance:
    """Return an instance that may be terminated.

    Raises:
        RequestError: no group has the instance, it is in a warm pool, or it is being terminated.
    """
    instance = managed_instance(memory, instance_id)
    if instance.state in POOLED - RETAINED:
        raise invalid(f"The instance {instance_id} is in a warm pool and cannot be terminated.")
    if instance.state not in WANTED | RETAINED | {LifecycleState.STANDBY}:
        going = activity_id("terminate", instance_id)
        raise RequestError(
            "ScalingActivityInProgress",
            f"Scaling activity {going} is in progress and blocks this action",
        )
    return instance


def check_held(memory: GroupMemory, hook: str, instance_id: str) -> None:
    """Raise RequestError if no lifecycle hook of this name holds the instance."""
    instance = memory.find(instance_id)
    if instance is None or all(hold.hook != hook for hold in instance.holds):
        raise invalid(f"No active Lifecycle Action found with instance ID {instance_id}")
