"""What each action of the API does with the group; an action that is not here is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.rig.autoscaling.answers import (
    show_activity,
    show_details,
    show_group,
    show_hook,
    show_policy,
)
from tidemill.rig.autoscaling.paging import page
from tidemill.rig.autoscaling.protocol import unknown_action
from tidemill.scaling import commands
from tidemill.scaling.activities import tell
from tidemill.scaling.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemill.rig.autoscaling.ports import Group, View

    Request = Mapping[str, Any]
    Result = dict[str, Any]

UPDATABLE = frozenset({"AutoScalingGroupName", "MinSize", "MaxSize", "DesiredCapacity"})


def run_action(group: Group, action: str, request: Request) -> Result:
    """Run an action on the group and return its result.

    Raises:
        RequestError: the action is not known here, or the request is refused.
    """
    if action not in ACTIONS:
        raise unknown_action(action)
    return ACTIONS[action](group, request)


def _groups(group: Group, request: Request) -> Result:
    _refuse(request, "Filters")
    view = group.view()
    names = request.get("AutoScalingGroupNames", [])
    shown = []
    if not names or view.fleet.group.name in names:
        shown.append(show_group(view, with_instances=request.get("IncludeInstances", True)))
    found, token = page(shown, "AutoScalingGroupName", request, most=100, default=50)
    return {"AutoScalingGroups": found, "NextToken": token}


def _activities(group: Group, request: Request) -> Result:
    _refuse(request, "Filters")
    view = group.view()
    if "AutoScalingGroupName" in request:
        _check_name(view, request)
    ids = request.get("ActivityIds", [])
    shown = [show_activity(view, item) for item in view.activities if not ids or item.id in ids]
    found, token = page(shown, "ActivityId", request, most=100)
    return {"Activities": found, "NextToken": token}


def _policies(group: Group, request: Request) -> Result:
    view = group.view()
    if "AutoScalingGroupName" in request:
        _check_name(view, request)
    names = [_policy_name(name) for name in request.get("PolicyNames", [])]
    types = request.get("PolicyTypes", [])
    shown = [show_policy(view, policy) for policy in view.fleet.policies]
    shown = [
        policy
        for policy in shown
        if (not names or policy["PolicyName"] in names)
        and (not types or policy["PolicyType"] in types)
    ]
    found, token = page(shown, "PolicyName", request, most=100, default=50)
    return {"ScalingPolicies": found, "NextToken": token}


def _instances(group: Group, request: Request) -> Result:
    view = group.view()
    ids = request.get("InstanceIds", [])
    shown = [
        show_details(view, item) for item in view.memory.instances if not ids or item.id in ids
    ]
    found, token = page(shown, "InstanceId", request, most=50)
    return {"AutoScalingInstances": found, "NextToken": token}


def _hooks(group: Group, request: Request) -> Result:
    view = group.view()
    _check_name(view, request)
    names = request.get("LifecycleHookNames", [])
    hooks = [hook for hook in view.fleet.group.hooks if not names or hook.name in names]
    return {"LifecycleHooks": [show_hook(view, hook) for hook in hooks]}


def _set_desired(group: Group, request: Request) -> Result:
    _check_name(group.view(), request)
    group.request(commands.SetDesiredCapacity(request["DesiredCapacity"]))
    return {}


def _update(group: Group, request: Request) -> Result:
    if request["AutoScalingGroupName"] != group.view().fleet.group.name:
        raise invalid("AutoScalingGroup name not found - null")
    _refuse(request, *sorted(request.keys() - UPDATABLE))
    sizes = (request.get(name) for name in ("MinSize", "MaxSize", "DesiredCapacity"))
    group.request(commands.UpdateGroup(*sizes))
    return {}


def _execute(group: Group, request: Request) -> Result:
    if "AutoScalingGroupName" in request:
        _check_name(group.view(), request)
    name = _policy_name(request["PolicyName"])
    group.request(
        commands.ExecutePolicy(name, request.get("MetricValue"), request.get("BreachThreshold"))
    )
    return {}


def _protect(group: Group, request: Request) -> Result:
    _check_name(group.view(), request)
    protected = request["ProtectedFromScaleIn"]
    group.request(
        commands.SetInstanceProtection(tuple(request["InstanceIds"]), protected=protected)
    )
    return {}


def _complete(group: Group, request: Request) -> Result:
    _check_name(group.view(), request)
    result = request["LifecycleActionResult"]
    group.request(
        commands.CompleteLifecycleAction(request["LifecycleHookName"], _held(request), result)
    )
    return {}


def _heartbeat(group: Group, request: Request) -> Result:
    _check_name(group.view(), request)
    group.request(
        commands.RecordLifecycleActionHeartbeat(request["LifecycleHookName"], _held(request))
    )
    return {}


def _terminate(group: Group, request: Request) -> Result:
    _refuse(request, "InstanceIds")
    if "InstanceId" not in request:
        raise invalid(
            "1 validation error detected: Value null at 'instanceId' failed to satisfy "
            "constraint: Member must not be null"
        )
    decrement = request["ShouldDecrementDesiredCapacity"]
    applied = group.request(
        commands.TerminateInstance(request["InstanceId"], should_decrement=decrement)
    )
    activity = tell((), applied.facts)[-1]
    return {"Activity": show_activity(group.view(), activity)}


def _suspend(group: Group, request: Request) -> Result:
    _check_name(group.view(), request)
    group.request(commands.SuspendProcesses(tuple(request.get("ScalingProcesses", []))))
    return {}


def _resume(group: Group, request: Request) -> Result:
    _check_name(group.view(), request)
    group.request(commands.ResumeProcesses(tuple(request.get("ScalingProcesses", []))))
    return {}


ACTIONS: dict[str, Callable[[Group, Request], Result]] = {
    "CompleteLifecycleAction": _complete,
    "DescribeAutoScalingGroups": _groups,
    "DescribeAutoScalingInstances": _instances,
    "DescribeLifecycleHooks": _hooks,
    "DescribePolicies": _policies,
    "DescribeScalingActivities": _activities,
    "ExecutePolicy": _execute,
    "RecordLifecycleActionHeartbeat": _heartbeat,
    "ResumeProcesses": _resume,
    "SetDesiredCapacity": _set_desired,
    "SetInstanceProtection": _protect,
    "SuspendProcesses": _suspend,
    "TerminateInstanceInAutoScalingGroup": _terminate,
    "UpdateAutoScalingGroup": _update,
}


def _check_name(view: View, request: Request) -> None:
    name = request["AutoScalingGroupName"]
    if name != view.fleet.group.name:
        raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")


def _refuse(request: Request, *names: str) -> None:
    """Refuse what the group here cannot do, rather than pass over it."""
    asked = [name for name in names if name in request]
    if asked:
        raise invalid(f"The local Auto Scaling API does not know {', '.join(asked)} here")


def _policy_name(name_or_arn: str) -> str:
    return name_or_arn.rpartition(":policyName/")[2]


def _held(request: Request) -> str:
    """Return the instance that a hook holds; tokens are in notifications only, which are not sent.

    Raises:
        RequestError: the request does not name the instance.
    """
    if "InstanceId" not in request:
        token = request.get("LifecycleActionToken")
        raise invalid(f"No active Lifecycle Action found with token {token}")
    instance: str = request["InstanceId"]
    return instance
