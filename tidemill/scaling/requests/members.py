"""Members of the group: finds the instance that a request names, or refuses the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.errors import invalid

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
