"""Answers of the Describe actions: group, instances, hooks, schedule and activities."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tidemill.rig.autoscaling.names import group_arn, scheduled_arn
from tidemill.rig.local_aws.clients import REGION
from tidemill.scaling.facts import stamp
from tidemill.scaling.group.hooks import global_timeout
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import HEALTH_CHECK

if TYPE_CHECKING:
    from tidemill.rig.autoscaling.ports import GroupView
    from tidemill.scaling.group.memory import Instance
    from tidemill.scaling.requests.activities import Activity
    from tidemill.scaling.spec import LifecycleHook, MaintenancePolicy, ScheduledAction, WarmPool

ZONE = f"{REGION}a"
"""The only Availability Zone of a rig."""

POOLED = "Warmed:"
"""Prefix of the lifecycle states of the warm pool's instances."""

Shown = dict[str, Any]


def moment(seconds: float) -> datetime:
    """Return epoch seconds as a time of the protocol, rounded to milliseconds."""
    return datetime.fromtimestamp(round(seconds, 3), UTC)


def show_group(view: GroupView, *, with_instances: bool) -> Shown:
    """Return the group as DescribeAutoScalingGroups does."""
    group, memory = view.fleet.group, view.memory
    low, high = memory.limits(group)
    shown = {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group_arn(group.name),
        "MinSize": low,
        "MaxSize": high,
        "DesiredCapacity": memory.desired,
        "DefaultCooldown": group.default_cooldown,
        "DefaultInstanceWarmup": group.default_warmup,
        "AvailabilityZones": [ZONE],
        "LoadBalancerNames": [],
        "TargetGroupARNs": [],
        "HealthCheckType": "EC2",
        "HealthCheckGracePeriod": group.grace,
        "CreatedTime": moment(view.created_at),
        "SuspendedProcesses": [
            {"ProcessName": name, "SuspensionReason": f"User suspended at {stamp(at)}"}
            for name, at in sorted(memory.suspended.items())
        ],
        "EnabledMetrics": [
            {"Metric": name, "Granularity": "1Minute"} for name in sorted(group.metrics)
        ],
        "Tags": [],
        "TerminationPolicies": list(group.termination),
        "NewInstancesProtectedFromScaleIn": group.protects,
    }
    if group.retains:
        shown["InstanceLifecyclePolicy"] = {"RetentionTriggers": {"TerminateHookAbandon": "retain"}}
    if group.maintenance is not None:
        shown["InstanceMaintenancePolicy"] = _show_maintenance(group.maintenance)
    if group.warm_pool is not None:
        shown["WarmPoolConfiguration"] = show_warm_pool(group.warm_pool)
        shown["WarmPoolSize"] = sum(map(is_pooled, memory.instances))
    if with_instances:
        shown["Instances"] = [
            show_instance(view, item) for item in memory.instances if not is_pooled(item)
        ]
    return shown


def is_pooled(instance: Instance) -> bool:
    """Return whether an instance belongs to the warm pool, or is entering or leaving it."""
    return instance.state.startswith(POOLED)


def show_instance(view: GroupView, instance: Instance) -> Shown:
    """Return an instance as an entry in its group or in its warm pool."""
    checked = HEALTH_CHECK not in view.memory.suspended
    checked = checked and instance.state is not LifecycleState.STANDBY
    lost = instance.vanished is not None and checked
    return {
        "InstanceId": instance.id,
        "AvailabilityZone": ZONE,
        "LifecycleState": instance.state.value,
        "HealthStatus": "Unhealthy" if lost or instance.unhealthy else "Healthy",
        "ProtectedFromScaleIn": instance.protected,
    }


def show_details(view: GroupView, instance: Instance) -> Shown:
    """Return an instance as DescribeAutoScalingInstances does, with its health in capitals."""
    shown = show_instance(view, instance)
    return shown | {
        "AutoScalingGroupName": view.fleet.group.name,
        "HealthStatus": shown["HealthStatus"].upper(),
    }


def show_activity(view: GroupView, activity: Activity) -> Shown:
    """Return an activity."""
    return {
        "ActivityId": activity.id,
        "AutoScalingGroupName": view.fleet.group.name,
        "AutoScalingGroupARN": group_arn(view.fleet.group.name),
        "Description": activity.description,
        "Cause": activity.cause,
        "StartTime": moment(activity.start),
        "EndTime": None if activity.end is None else moment(activity.end),
        "StatusCode": activity.status,
        "StatusMessage": activity.message or None,
        "Progress": activity.progress,
        "Details": f'{{"Availability Zone":"{ZONE}"}}',
    }


def show_hook(view: GroupView, hook: LifecycleHook) -> Shown:
    """Return a lifecycle hook."""
    return {
        "LifecycleHookName": hook.name,
        "AutoScalingGroupName": view.fleet.group.name,
        "LifecycleTransition": hook.transition,
        "HeartbeatTimeout": hook.heartbeat_timeout,
        "GlobalTimeout": global_timeout(hook),
        "DefaultResult": hook.default_result,
    }


def show_scheduled(view: GroupView, action: ScheduledAction) -> Shown:
    """Return a scheduled action with the times of the template."""
    return {
        "AutoScalingGroupName": view.fleet.group.name,
        "ScheduledActionName": action.name,
        "ScheduledActionARN": scheduled_arn(view.fleet.group.name, action.name),
        "StartTime": None if action.start is None else moment(action.start),
        "EndTime": None if action.end is None else moment(action.end),
        "Recurrence": action.recurrence,
        "MinSize": action.min_size,
        "MaxSize": action.max_size,
        "DesiredCapacity": action.desired,
        "TimeZone": None if action.recurrence is None else action.zone,
    }


def show_warm_pool(pool: WarmPool) -> Shown:
    """Return the settings of a warm pool."""
    return {
        "MaxGroupPreparedCapacity": pool.max_prepared,
        "MinSize": pool.min_size,
        "PoolState": pool.state,
    }


def _show_maintenance(policy: MaintenancePolicy) -> Shown:
    return {
        "MinHealthyPercentage": policy.min_healthy,
        "MaxHealthyPercentage": policy.max_healthy,
    }
