"""The group, its instances, policies, hooks and activities, as the Describe actions show them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid5

from tidemill.rig.clients import REGION
from tidemill.scaling.activities import OURS
from tidemill.scaling.group import global_timeout
from tidemill.scaling.instances import HEALTH_CHECK
from tidemill.scaling.timeline import stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.rig.autoscaling.ports import View
    from tidemill.scaling.activities import Activity
    from tidemill.scaling.instances import Instance
    from tidemill.scaling.spec import LifecycleHook, StepScalingPolicy

ACCOUNT = "000000000000"
ZONE = f"{REGION}a"
"""The rig has one place to run instances."""

Shown = dict[str, Any]


def moment(seconds: float) -> datetime:
    """Return epoch seconds as the protocol writes times, to the millisecond."""
    return datetime.fromtimestamp(round(seconds, 3), UTC)


def show_group(view: View, *, with_instances: bool) -> Shown:
    """Return the group as DescribeAutoScalingGroups does."""
    group, memory = view.fleet.group, view.memory
    shown = {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": _group_arn(view),
        "MinSize": group.min_size,
        "MaxSize": group.max_size,
        "DesiredCapacity": memory.desired,
        "DefaultCooldown": group.default_cooldown,
        "DefaultInstanceWarmup": group.default_warmup,
        "AvailabilityZones": [ZONE],
        "LoadBalancerNames": [],
        "TargetGroupARNs": [],
        "HealthCheckType": "EC2",
        "HealthCheckGracePeriod": 0,
        "CreatedTime": moment(view.created_at),
        "SuspendedProcesses": [
            {"ProcessName": name, "SuspensionReason": f"User suspended at {stamp(at)}"}
            for name, at in sorted(memory.suspended.items())
        ],
        "EnabledMetrics": [
            {"Metric": name, "Granularity": "1Minute"} for name in sorted(group.metrics)
        ],
        "Tags": [],
        "TerminationPolicies": ["Default"],
        "NewInstancesProtectedFromScaleIn": False,
    }
    if with_instances:
        shown["Instances"] = [show_instance(view, item) for item in memory.instances]
    return shown


def show_instance(view: View, instance: Instance) -> Shown:
    """Return an instance as part of its group."""
    lost = instance.vanished is not None and HEALTH_CHECK not in view.memory.suspended
    return {
        "InstanceId": instance.id,
        "AvailabilityZone": ZONE,
        "LifecycleState": instance.state.value,
        "HealthStatus": "Unhealthy" if lost else "Healthy",
        "ProtectedFromScaleIn": instance.protected,
    }


def show_details(view: View, instance: Instance) -> Shown:
    """Return an instance as DescribeAutoScalingInstances does, where health is in capitals."""
    shown = show_instance(view, instance)
    return shown | {
        "AutoScalingGroupName": view.fleet.group.name,
        "HealthStatus": shown["HealthStatus"].upper(),
    }


def show_activity(view: View, activity: Activity) -> Shown:
    """Return an activity."""
    return {
        "ActivityId": activity.id,
        "AutoScalingGroupName": view.fleet.group.name,
        "AutoScalingGroupARN": _group_arn(view),
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": moment(activity.start),
        "EndTime": None if activity.end is None else moment(activity.end),
        "StatusCode": activity.status,
        "StatusMessage": activity.message or None,
        "Progress": activity.progress,
        "Details": f'{{"Availability Zone":"{ZONE}"}}',
    }


def show_policy(view: View, policy: StepScalingPolicy) -> Shown:
    """Return a policy with the alarms that trigger it."""
    return {
        "AutoScalingGroupName": view.fleet.group.name,
        "PolicyName": policy.name,
        "PolicyARN": _arn("scalingPolicy", policy.name, f"{_path(view)}:policyName/{policy.name}"),
        "PolicyType": "StepScaling",
        "AdjustmentType": policy.adjustment_type.value,
        "MinAdjustmentMagnitude": policy.min_adjustment_magnitude,
        "StepAdjustments": [
            {
                "MetricIntervalLowerBound": step.lower,
                "MetricIntervalUpperBound": step.upper,
                "ScalingAdjustment": step.adjustment,
            }
            for step in policy.steps
        ],
        "EstimatedInstanceWarmup": policy.warmup,
        "Alarms": list(_alarms(view, policy)),
        "Enabled": True,
    }


def show_hook(view: View, hook: LifecycleHook) -> Shown:
    """Return a lifecycle hook."""
    return {
        "LifecycleHookName": hook.name,
        "AutoScalingGroupName": view.fleet.group.name,
        "LifecycleTransition": hook.transition,
        "HeartbeatTimeout": hook.heartbeat_timeout,
        "GlobalTimeout": global_timeout(hook),
        "DefaultResult": hook.default_result,
    }


def _alarms(view: View, policy: StepScalingPolicy) -> Iterator[Shown]:
    for alarm in view.fleet.alarms:
        if policy.logical_id in alarm.actions:
            arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{alarm.name}"
            yield {"AlarmName": alarm.name, "AlarmARN": arn}


def _path(view: View) -> str:
    return f"autoScalingGroupName/{view.fleet.group.name}"


def _group_arn(view: View) -> str:
    return _arn("autoScalingGroup", view.fleet.group.name, _path(view))


def _arn(kind: str, name: str, path: str) -> str:
    number = uuid5(OURS, f"{kind}/{name}")
    return f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:{kind}:{number}:{path}"
