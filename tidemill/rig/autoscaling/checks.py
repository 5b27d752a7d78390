"""Checks that many actions share: the group's name, and parameters that are not supported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.scaling.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.rig.autoscaling.ports import GroupView

    Request = Mapping[str, Any]


def check_name(view: GroupView, request: Request) -> None:
    """Refuse a request that names another group or a deleted one; one without a name passes.

    Raises:
        RequestError: the request names another group, or the group is deleted.
    """
    name = request.get("AutoScalingGroupName", view.fleet.group.name)
    if view.memory.deleted or name != view.fleet.group.name:
        raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")


def refuse(request: Request, *names: str) -> None:
    """Refuse a request with one of these parameters, which are not supported here.

    Raises:
        RequestError: the request has one of them.
    """
    asked = [name for name in names if name in request]
    if asked:
        raise invalid(f"The local Auto Scaling API does not support {', '.join(asked)} here")


def policy_name(name_or_arn: str) -> str:
    """Return the name of a policy, given its name or its ARN."""
    return name_or_arn.rpartition(":policyName/")[2]
