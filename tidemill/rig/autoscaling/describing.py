"""Describe actions: the group's present state, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.rig.autoscaling.answers import (
    is_pooled,
    show_activity,
    show_details,
    show_group,
    show_hook,
    show_instance,
    show_scheduled,
    show_warm_pool,
)
from tidemill.rig.autoscaling.checks import check_name, policy_name, refuse
from tidemill.rig.autoscaling.paging import page
from tidemill.rig.autoscaling.policies import show_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemill.rig.autoscaling.ports import GroupView

    Request = Mapping[str, Any]
    Result = dict[str, Any]


def _groups(view: GroupView, request: Request) -> Result:
    refuse(request, "Filters")
    names = request.get("AutoScalingGroupNames", [])
    shown = []
    if not view.memory.deleted and (not names or view.fleet.group.name in names):
        shown.append(show_group(view, with_instances=request.get("IncludeInstances", True)))
    found, token = page(shown, "AutoScalingGroupName", request, most=100, default=50)
    return {"AutoScalingGroups": found, "NextToken": token}


def _activities(view: GroupView, request: Request) -> Result:
    refuse(request, "Filters")
    check_name(view, request)
    ids = request.get("ActivityIds", [])
    # "Activities still in progress are described first" ("Verify a scaling activity").
    ordered = sorted(view.activities, key=lambda item: item.end is not None)
    shown = [show_activity(view, item) for item in ordered if not ids or item.id in ids]
    found, token = page(shown, "ActivityId", request, most=100)
    return {"Activities": found, "NextToken": token}


def _policies(view: GroupView, request: Request) -> Result:
    check_name(view, request)
    names = [policy_name(name) for name in request.get("PolicyNames", [])]
    types = request.get("PolicyTypes", [])
    shown = [show_policy(view.fleet, policy) for policy in view.fleet.policies]
    shown = [
        policy
        for policy in shown
        if (not names or policy["PolicyName"] in names)
        and (not types or policy["PolicyType"] in types)
    ]
    found, token = page(shown, "PolicyName", request, most=100, default=50)
    return {"ScalingPolicies": found, "NextToken": token}


def _instances(view: GroupView, request: Request) -> Result:
    ids = request.get("InstanceIds", [])
    shown = [
        show_details(view, item) for item in view.memory.instances if not ids or item.id in ids
    ]
    found, token = page(shown, "InstanceId", request, most=50)
    return {"AutoScalingInstances": found, "NextToken": token}


def _hooks(view: GroupView, request: Request) -> Result:
    check_name(view, request)
    names = request.get("LifecycleHookNames", [])
    hooks = [hook for hook in view.fleet.group.hooks if not names or hook.name in names]
    return {"LifecycleHooks": [show_hook(view, hook) for hook in hooks]}


def _scheduled(view: GroupView, request: Request) -> Result:
    refuse(request, "StartTime", "EndTime")
    check_name(view, request)
    names = request.get("ScheduledActionNames", [])
    shown = [
        show_scheduled(view, action)
        for action in view.fleet.scheduled
        if not names or action.name in names
    ]
    found, token = page(shown, "ScheduledActionName", request, most=100, default=50)
    return {"ScheduledUpdateGroupActions": found, "NextToken": token}


def _warm_pool(view: GroupView, request: Request) -> Result:
    check_name(view, request)
    pool = view.fleet.group.warm_pool
    shown = [show_instance(view, item) for item in view.memory.instances if is_pooled(item)]
    found, token = page(shown, "InstanceId", request, most=50)
    return {
        "WarmPoolConfiguration": None if pool is None else show_warm_pool(pool),
        "Instances": found,
        "NextToken": token,
    }


DESCRIBING: dict[str, Callable[[GroupView, Request], Result]] = {
    "DescribeAutoScalingGroups": _groups,
    "DescribeAutoScalingInstances": _instances,
    "DescribeLifecycleHooks": _hooks,
    "DescribePolicies": _policies,
    "DescribeScalingActivities": _activities,
    "DescribeScheduledActions": _scheduled,
    "DescribeWarmPool": _warm_pool,
}
"""The function that returns the result of each Describe action, by the action's name."""
