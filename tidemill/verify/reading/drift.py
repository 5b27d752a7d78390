"""Checks of the numbers that decide how the fleet scales: alarms, policies, group and queue."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from tidemill.scaling.spec import PolicyAction, StepScalingPolicy
from tidemill.verify.bench import why_missing
from tidemill.verify.check import Check, Level, Observation, Use
from tidemill.verify.finding import Row, Verdict, compared, text, unobserved

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tidemill.scaling.spec import Action, Alarm, Group, MetricQuery
    from tidemill.verify.bench import Bench
    from tidemill.verify.target import Target

Values = dict[str, Any]


def _observe(bench: Bench) -> None:
    target = bench.target
    names = [alarm.name for alarm in target.fleet.alarms]
    alarms = bench.ask("cloudwatch:DescribeAlarms", AlarmNames=names)
    if alarms is not None:
        bench.note("alarms", {one["AlarmName"]: _alarm_seen(one) for one in alarms["MetricAlarms"]})
    policies = bench.ask("autoscaling:DescribePolicies", AutoScalingGroupName=target.group)
    if policies is not None:
        found = {one["PolicyName"]: _policy_seen(one) for one in policies["ScalingPolicies"]}
        bench.note("policies", found)
    groups = bench.ask(
        "autoscaling:DescribeAutoScalingGroups", AutoScalingGroupNames=[target.group]
    )
    hooks = bench.ask("autoscaling:DescribeLifecycleHooks", AutoScalingGroupName=target.group)
    if groups is not None and hooks is not None and groups["AutoScalingGroups"]:
        seen = _group_seen(groups["AutoScalingGroups"][0], hooks["LifecycleHooks"])
        bench.note("group", {target.group: seen})
    queue = bench.ask("sqs:GetQueueAttributes", QueueUrl=target.queue_url, AttributeNames=["All"])
    if queue is not None:
        bench.note("queue", {target.fleet.queue.name: _queue_seen(queue["Attributes"])})


def _alarm_seen(one: Mapping[str, Any]) -> Values:
    seen: Values = {
        "comparison": one.get("ComparisonOperator"),
        "threshold": one.get("Threshold"),
        "periods": one.get("EvaluationPeriods"),
        "datapoints": one.get("DatapointsToAlarm", one.get("EvaluationPeriods")),
        "missing data": one.get("TreatMissingData", "missing"),
        "enabled": one.get("ActionsEnabled"),
        "in ALARM": sorted(one.get("AlarmActions", [])),
        "in OK": sorted(one.get("OKActions", [])),
        "without data": sorted(one.get("InsufficientDataActions", [])),
    }
    for query in one.get("Metrics", []):
        stat = query.get("MetricStat")
        if stat is None:
            seen[query["Id"]] = query.get("Expression")
            continue
        metric = stat["Metric"]
        names = sorted(f"{item['Name']}={item['Value']}" for item in metric.get("Dimensions", []))
        seen[query["Id"]] = (
            f"{stat['Stat']} of {metric['Namespace']} {metric['MetricName']} "
            f"{text(names)} in {stat['Period']} s"
        )
    return seen


def _alarm_expected(target: Target, alarm: Alarm) -> Values:
    return {
        "comparison": str(alarm.comparison),
        "threshold": float(alarm.threshold),
        "periods": alarm.evaluation_periods,
        "datapoints": alarm.datapoints_to_alarm,
        "missing data": str(alarm.missing_data),
        "enabled": True,
        "in ALARM": _targets(target, alarm.actions),
        "in OK": _targets(target, alarm.ok_actions),
        "without data": _targets(target, alarm.insufficient_data_actions),
        **{query.id: _query_expected(query) for query in alarm.queries},
    }


def _query_expected(query: MetricQuery) -> str | None:
    if query.stat is None:
        return query.expression
    metric = query.stat.metric
    names = sorted(f"{name}={value}" for name, value in metric.dimensions)
    return (
        f"{query.stat.stat} of {metric.namespace} {metric.name} {text(names)} "
        f"in {query.stat.period} s"
    )


def _targets(target: Target, actions: Iterable[Action]) -> list[str]:
    return sorted(
        target.deployed[one.policy].physical
        if isinstance(one, PolicyAction) and one.policy in target.deployed
        else one.policy
        if isinstance(one, PolicyAction)
        else one.target
        for one in actions
    )


def _policy_seen(one: Mapping[str, Any]) -> Values:
    return {
        "adjustment": one.get("AdjustmentType"),
        "warm-up": one.get("EstimatedInstanceWarmup"),
        "least change": one.get("MinAdjustmentMagnitude"),
        "aggregation": one.get("MetricAggregationType", "Average"),
        "enabled": one.get("Enabled", True),
        "steps": _steps(
            (
                step.get("MetricIntervalLowerBound"),
                step.get("MetricIntervalUpperBound"),
                step["ScalingAdjustment"],
            )
            for step in one.get("StepAdjustments", [])
        ),
    }


def _policy_expected(policy: StepScalingPolicy) -> Values:
    return {
        "adjustment": str(policy.adjustment_type),
        "warm-up": policy.warmup,
        "least change": policy.min_adjustment_magnitude,
        "aggregation": str(policy.aggregation),
        "enabled": True,
        "steps": _steps((step.lower, step.upper, step.adjustment) for step in policy.steps),
    }


def _steps(steps: Iterable[tuple[float | None, float | None, int]]) -> list[str]:
    """Return the steps from the lowest to the highest, in whatever order they are written."""
    ordered = sorted(steps, key=lambda step: -math.inf if step[0] is None else step[0])
    return [
        f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}: {adjustment}"
        for low, high, adjustment in ordered
    ]


def _group_seen(one: Mapping[str, Any], hooks: Iterable[Mapping[str, Any]]) -> Values:
    triggers = one.get("InstanceLifecyclePolicy", {}).get("RetentionTriggers", {})
    retains = triggers.get("TerminateHookAbandon")
    return {
        "minimum": one["MinSize"],
        "maximum": one["MaxSize"],
        "cooldown": one["DefaultCooldown"],
        "warm-up": one.get("DefaultInstanceWarmup"),
        "metrics": sorted(item["Metric"] for item in one.get("EnabledMetrics", [])),
        "termination": one.get("TerminationPolicies", []),
        "protects new instances": one.get("NewInstancesProtectedFromScaleIn", False),
        "retains abandoned instances": retains == "retain",
        "suspended": sorted(item["ProcessName"] for item in one.get("SuspendedProcesses", [])),
        "hooks": sorted(
            f"{hook['LifecycleHookName']} at {hook['LifecycleTransition']}: "
            f"{hook['HeartbeatTimeout']} s, {hook['DefaultResult']}"
            for hook in hooks
        ),
    }


def _group_expected(group: Group) -> Values:
    return {
        "minimum": group.min_size,
        "maximum": group.max_size,
        "cooldown": group.default_cooldown,
        "warm-up": group.default_warmup,
        "metrics": sorted(group.metrics),
        "termination": list(group.termination),
        "protects new instances": group.protects,
        "retains abandoned instances": group.retains,
        "suspended": [],
        "hooks": sorted(
            f"{hook.name} at {hook.transition}: {hook.heartbeat_timeout} s, {hook.default_result}"
            for hook in group.hooks
        ),
    }


def _queue_seen(attributes: Mapping[str, str]) -> Values:
    redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
    receives = redrive.get("maxReceiveCount")
    return {
        "visibility timeout": int(attributes["VisibilityTimeout"]),
        "most receives": None if receives is None else int(receives),
    }


def _judge_alarms(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    for alarm in target.fleet.alarms:
        yield from _compare(seen, "alarms", alarm.name, _alarm_expected(target, alarm))


def _judge_policies(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    for policy in target.fleet.policies:
        if isinstance(policy, StepScalingPolicy):
            yield from _compare(seen, "policies", policy.name, _policy_expected(policy))


def _judge_group(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    yield from _compare(seen, "group", target.group, _group_expected(target.fleet.group))


def _judge_queue(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    queue = target.fleet.queue
    expected = {
        "visibility timeout": queue.visibility_timeout,
        "most receives": queue.max_receive_count,
    }
    yield from _compare(seen, "queue", queue.name, expected)


ACTIONS = {
    "alarms": ("cloudwatch:DescribeAlarms",),
    "policies": ("autoscaling:DescribePolicies",),
    "group": ("autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeLifecycleHooks"),
    "queue": ("sqs:GetQueueAttributes",),
}
"""The actions that show a kind of resource."""


def _compare(seen: Mapping[str, Any], kind: str, name: str, expected: Values) -> Iterator[Row]:
    """Yield the rows for the resource with this name, among those of its kind that were seen."""
    if kind not in seen:
        yield unobserved(name, _listed(expected), why_missing(seen, *ACTIONS[kind]))
    elif name not in seen[kind]:
        yield compared(name, _listed(expected), "it does not exist")
    else:
        yield from same_values(name, expected, seen[kind][name])


def same_values(what: str, expected: Values, observed: Values) -> Iterator[Row]:
    """Yield a row for each value that differs, or one row if none does."""
    different = [
        compared(f"{what}: {name}", expected.get(name), text(observed.get(name)))
        for name in [*expected, *(name for name in observed if name not in expected)]
        if text(expected.get(name)) != text(observed.get(name))
    ]
    if different:
        yield from different
    else:
        shown = _listed(expected)
        yield Row(what, shown, shown, Verdict.AGREES)


def _listed(values: Values) -> str:
    return "; ".join(f"{name} {text(value)}" for name, value in values.items())


SETTINGS = Observation(
    name="settings",
    does="reads the alarms that scale, the policies, the group, its hooks and the queue",
    level=Level.READ,
    calls=tuple(action for actions in ACTIONS.values() for action in actions),
    use=lambda _target: Use(requests=1),
    observe=_observe,
)
REMEDY = "Somebody changed it after the deployment: deploy again, or change the template."
ALARMS = Check(
    "alarms", "Do the alarms have the template's numbers?", SETTINGS, _judge_alarms, REMEDY
)
POLICIES = Check(
    "policies", "Do the policies have the template's steps?", SETTINGS, _judge_policies, REMEDY
)
GROUP = Check(
    "group",
    "Does the group have the template's limits and hooks, and is no process suspended?",
    SETTINGS,
    _judge_group,
    f"{REMEDY} `aws autoscaling resume-processes` ends a suspension.",
)
QUEUE = Check(
    "queue", "Does the queue have the template's timeouts?", SETTINGS, _judge_queue, REMEDY
)
