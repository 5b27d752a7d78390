"""Actions of the API: runs each of them on the group, and refuses unknown ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.rig.autoscaling.checks import check_name, policy_name, refuse
from tidemill.rig.autoscaling.describing import DESCRIBING
from tidemill.rig.autoscaling.membership import detach, enter_standby, exit_standby, terminate
from tidemill.rig.autoscaling.protocol import unknown_action
from tidemill.scaling.errors import invalid
from tidemill.scaling.requests import commands

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemill.rig.autoscaling.ports import ServedGroup

    Request = Mapping[str, Any]
    Result = dict[str, Any]

UPDATABLE = frozenset({"AutoScalingGroupName", "MinSize", "MaxSize", "DesiredCapacity"})
HEALTHY, UNHEALTHY = "Healthy", "Unhealthy"


def run_action(group: ServedGroup, action: str, request: Request) -> Result:
    """Run an action on the group and return its result.

    Raises:
        RequestError: this API has no such action, or the request is refused.
    """
    if action in DESCRIBING:
        return DESCRIBING[action](group.view(), request)
    if action not in ACTIONS:
        raise unknown_action(action)
    return ACTIONS[action](group, request)


def _set_desired(group: ServedGroup, request: Request) -> Result:
    check_name(group.view(), request)
    honor = request.get("HonorCooldown", False)
    group.request(commands.SetDesiredCapacity(request["DesiredCapacity"], honor_cooldown=honor))
    return {}


def _update(group: ServedGroup, request: Request) -> Result:
    if request["AutoScalingGroupName"] != group.view().fleet.group.name:
        raise invalid("AutoScalingGroup name not found - null")
    refuse(request, *sorted(request.keys() - UPDATABLE))
    sizes = (request.get(name) for name in ("MinSize", "MaxSize", "DesiredCapacity"))
    group.request(commands.UpdateGroup(*sizes))
    return {}


def _delete(group: ServedGroup, request: Request) -> Result:
    check_name(group.view(), request)
    if request.get("ForceDelete"):  # it would end instances without their hooks
        refuse(request, "ForceDelete")
    group.request(commands.DeleteGroup())
    return {}


def _execute(group: ServedGroup, request: Request) -> Result:
    check_name(group.view(), request)
    group.request(
        commands.ExecutePolicy(
            policy_name(request["PolicyName"]),
            request.get("MetricValue"),
            request.get("BreachThreshold"),
            honor_cooldown=request.get("HonorCooldown", False),
        )
    )
    return {}


def _protect(group: ServedGroup, request: Request) -> Result:
    check_name(group.view(), request)
    protected = request["ProtectedFromScaleIn"]
    group.request(
        commands.SetInstanceProtection(tuple(request["InstanceIds"]), protected=protected)
    )
    return {}


def _set_health(group: ServedGroup, request: Request) -> Result:
    status = request["HealthStatus"]
    if status not in {HEALTHY, UNHEALTHY}:
        raise invalid(f"Valid instance health states are: [{HEALTHY}, {UNHEALTHY}].")
    group.request(
        commands.SetInstanceHealth(
            request["InstanceId"],
            unhealthy=status == UNHEALTHY,
            respect_grace=request.get("ShouldRespectGracePeriod", True),
        )
    )
    return {}


def _complete(group: ServedGroup, request: Request) -> Result:
    check_name(group.view(), request)
    result = request["LifecycleActionResult"]
    group.request(
        commands.CompleteLifecycleAction(request["LifecycleHookName"], _held(request), result)
    )
    return {}


def _heartbeat(group: ServedGroup, request: Request) -> Result:
    check_name(group.view(), request)
    group.request(
        commands.RecordLifecycleActionHeartbeat(request["LifecycleHookName"], _held(request))
    )
    return {}


def _suspend(group: ServedGroup, request: Request) -> Result:
    check_name(group.view(), request)
    group.request(commands.SuspendProcesses(tuple(request.get("ScalingProcesses", []))))
    return {}


def _resume(group: ServedGroup, request: Request) -> Result:
    check_name(group.view(), request)
    group.request(commands.ResumeProcesses(tuple(request.get("ScalingProcesses", []))))
    return {}


ACTIONS: dict[str, Callable[[ServedGroup, Request], Result]] = {
    "CompleteLifecycleAction": _complete,
    "DeleteAutoScalingGroup": _delete,
    "DetachInstances": detach,
    "EnterStandby": enter_standby,
    "ExecutePolicy": _execute,
    "ExitStandby": exit_standby,
    "RecordLifecycleActionHeartbeat": _heartbeat,
    "ResumeProcesses": _resume,
    "SetDesiredCapacity": _set_desired,
    "SetInstanceHealth": _set_health,
    "SetInstanceProtection": _protect,
    "SuspendProcesses": _suspend,
    "TerminateInstanceInAutoScalingGroup": terminate,
    "UpdateAutoScalingGroup": _update,
}


def _held(request: Request) -> str:
    """Return the instance that a hook holds.

    AWS also accepts the token from a hook's notification; the rig sends no notifications.

    Raises:
        RequestError: the request does not name the instance.
    """
    if "InstanceId" not in request:
        token = request.get("LifecycleActionToken")
        raise invalid(f"No active Lifecycle Action found with token {token}")
    instance: str = request["InstanceId"]
    return instance
