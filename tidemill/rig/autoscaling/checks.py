"""What is the same of many requests: whom they are for, and what nobody can do here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.scaling.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.rig.autoscaling.ports import GroupView

    Request = Mapping[str, Any]


def check_name(view: GroupView, request: Request) -> None:
    """Make sure that a request is for the group, where it names one.

    Raises:
        RequestError: it is for another one.
    """
    name = request.get("AutoScalingGroupName", view.fleet.group.name)
    if name != view.fleet.group.name:
        raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")


def refuse(request: Request, *names: str) -> None:
    """Refuse what the group here cannot do, rather than pass over it.

    Raises:
        RequestError: the request has one of these parameters.
    """
    asked = [name for name in names if name in request]
    if asked:
        raise invalid(f"The local Auto Scaling API does not know {', '.join(asked)} here")


def policy_name(name_or_arn: str) -> str:
    """Return the name of a policy that a request names, or gives the ARN of."""
    return name_or_arn.rpartition(":policyName/")[2]
