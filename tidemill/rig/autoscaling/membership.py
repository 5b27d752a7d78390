"""Actions on a group's instances: terminate, detach, enter Standby and exit Standby."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.rig.autoscaling.answers import show_activity
from tidemill.rig.autoscaling.checks import check_name, refuse
from tidemill.scaling.errors import invalid
from tidemill.scaling.facts import Noted
from tidemill.scaling.requests import commands
from tidemill.scaling.requests.activities import Activity, activity_id, record_activities

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.rig.autoscaling.ports import ServedGroup

    Request = Mapping[str, Any]
    Result = dict[str, Any]

MOST_INSTANCES = 20
"""The largest number in one request (API, DetachInstances, EnterStandby, ExitStandby)."""


def terminate(group: ServedGroup, request: Request) -> Result:
    """Run TerminateInstanceInAutoScalingGroup; the result has the activity that starts."""
    refuse(request, "InstanceIds")
    if "InstanceId" not in request:
        raise invalid(
            "1 validation error detected: Value null at 'instanceId' failed to satisfy "
            "constraint: Member must not be null"
        )
    decrement = request["ShouldDecrementDesiredCapacity"]
    applied = group.request(
        commands.TerminateInstance(request["InstanceId"], should_decrement=decrement)
    )
    activity = record_activities((), applied.facts)[-1]
    view = group.view()
    recorded = (one for one in view.activities if one.instance == activity.instance)
    # A retained instance has been terminated before, in another activity.
    return {"Activity": show_activity(view, next(recorded, activity))}


def enter_standby(group: ServedGroup, request: Request) -> Result:
    """Run EnterStandby."""
    ids, decrement = _instances(group, request), request["ShouldDecrementDesiredCapacity"]
    command = commands.EnterStandby(ids, should_decrement=decrement)
    return _moved(group, command, "Moving EC2 instance to Standby", ("InProgress", 50))


def exit_standby(group: ServedGroup, request: Request) -> Result:
    """Run ExitStandby."""
    command = commands.ExitStandby(_instances(group, request))
    return _moved(group, command, "Moving EC2 instance out of Standby", ("PreInService", 30))


def detach(group: ServedGroup, request: Request) -> Result:
    """Run DetachInstances."""
    ids, decrement = _instances(group, request), request["ShouldDecrementDesiredCapacity"]
    command = commands.DetachInstances(ids, should_decrement=decrement)
    return _moved(group, command, "Detaching EC2 instance", ("InProgress", 50))


def _instances(group: ServedGroup, request: Request) -> tuple[str, ...]:
    check_name(group.view(), request)
    ids = tuple(dict.fromkeys(request.get("InstanceIds", ())))
    if not 1 <= len(ids) <= MOST_INSTANCES:
        raise invalid(f"InstanceIds has {len(ids)} instances: give 1 to {MOST_INSTANCES}")
    return ids


def _moved(
    group: ServedGroup,
    command: commands.EnterStandby | commands.ExitStandby | commands.DetachInstances,
    description: str,
    status_and_progress: tuple[str, int],
) -> Result:
    """Move instances; the result has an activity for each, with the given status and progress."""
    before = group.view().memory.desired
    applied = group.request(command)
    change = (applied.memory.desired - before) // len(command.instances)
    direction = "shrinking" if change < 0 else "increasing"
    status, progress = status_and_progress
    notes = [fact for fact in applied.facts if isinstance(fact, Noted)]
    view = group.view()
    activities = [
        Activity(
            id=activity_id(f"{description} at {fact.at}", instance),
            kind="move",
            instance=instance,
            description=f"{description}: {instance}",
            cause=fact.text.removesuffix(".")
            + (
                f", {direction} the capacity from {before + number * change} to "
                f"{before + (number + 1) * change}."
                if change
                else "."
            ),
            start=fact.at,
            status=status,
            progress=progress,
        )
        for number, (instance, fact) in enumerate(zip(command.instances, notes, strict=True))
    ]
    return {"Activities": [show_activity(view, activity) for activity in activities]}
