"""Actions on a group's instances: terminate, detach, enter Standby and exit Standby."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.rig.autoscaling.answers import show_activity
from tidemill.rig.autoscaling.checks import check_name
from tidemill.scaling.errors import invalid
from tidemill.scaling.requests import commands
from tidemill.scaling.requests.activities import Activity, record_activities

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.rig.autoscaling.ports import ServedGroup
    from tidemill.scaling.requests.apply import Applied

    Request = Mapping[str, Any]
    Result = dict[str, Any]

MOST_TERMINATED = 100
"""The largest number in one request (API, TerminateInstanceInAutoScalingGroup)."""
MOST_INSTANCES = 20
"""The largest number in one request (API, DetachInstances, EnterStandby, ExitStandby)."""


def terminate(group: ServedGroup, request: Request) -> Result:
    """Run TerminateInstanceInAutoScalingGroup; the result has the activity that starts.

    With InstanceIds it has the activities of all of them.
    """
    if "InstanceIds" in request:
        return _terminate_several(group, request)
    if "InstanceId" not in request:
        raise invalid(
            "1 validation error detected: Value null at 'instanceId' failed to satisfy "
            "constraint: Member must not be null"
        )
    decrement = request["ShouldDecrementDesiredCapacity"]
    applied = group.request(
        commands.TerminateInstance(request["InstanceId"], should_decrement=decrement)
    )
    (activity,) = _started(group, applied)
    return {"Activity": activity}


def _terminate_several(group: ServedGroup, request: Request) -> Result:
    if "InstanceId" in request or "AutoScalingGroupName" not in request:
        raise invalid("Give either InstanceId, or InstanceIds with AutoScalingGroupName")
    check_name(group.view(), request)
    ids = tuple(dict.fromkeys(request["InstanceIds"]))
    if not 1 <= len(ids) <= MOST_TERMINATED:
        raise invalid(f"InstanceIds has {len(ids)} instances: give 1 to {MOST_TERMINATED}")
    decrement = request["ShouldDecrementDesiredCapacity"]
    applied = group.request(commands.TerminateInstances(ids, should_decrement=decrement))
    return {"Activities": _started(group, applied)}


def _started(group: ServedGroup, applied: Applied) -> list[dict[str, Any]]:
    """Return the activities that a request has started, as the group has recorded them.

    A retained instance is terminated for the second time, in an activity with another id.
    """
    view = group.view()
    newest: dict[str, Activity] = {}
    for activity in view.activities:
        newest.setdefault(activity.instance, activity)
    started = record_activities((), applied.facts)
    return [show_activity(view, newest.get(one.instance, one)) for one in started]


def enter_standby(group: ServedGroup, request: Request) -> Result:
    """Run EnterStandby."""
    ids, decrement = _instances(group, request), request["ShouldDecrementDesiredCapacity"]
    command = commands.EnterStandby(ids, should_decrement=decrement)
    return _moved(group, command, "InProgress", 50)


def exit_standby(group: ServedGroup, request: Request) -> Result:
    """Run ExitStandby."""
    command = commands.ExitStandby(_instances(group, request))
    return _moved(group, command, "PreInService", 30)


def detach(group: ServedGroup, request: Request) -> Result:
    """Run DetachInstances."""
    ids, decrement = _instances(group, request), request["ShouldDecrementDesiredCapacity"]
    command = commands.DetachInstances(ids, should_decrement=decrement)
    return _moved(group, command, "InProgress", 50)


def _instances(group: ServedGroup, request: Request) -> tuple[str, ...]:
    check_name(group.view(), request)
    ids = tuple(dict.fromkeys(request.get("InstanceIds", ())))
    if not 1 <= len(ids) <= MOST_INSTANCES:
        raise invalid(f"InstanceIds has {len(ids)} instances: give 1 to {MOST_INSTANCES}")
    return ids


def _moved(
    group: ServedGroup,
    command: commands.EnterStandby | commands.ExitStandby | commands.DetachInstances,
    status: str,
    progress: int,
) -> Result:
    """Move instances; the result has an activity for each, as it was when the request came."""
    begun = {"StatusCode": status, "Progress": progress, "EndTime": None}
    applied = group.request(command)
    return {"Activities": [activity | begun for activity in _started(group, applied)]}
