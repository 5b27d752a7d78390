"""Reader of a group's scaling policies and scheduled actions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.policies.schedule import cron_problem
from tidemill.scaling.policies.step import step_problems
from tidemill.scaling.spec import (
    AdjustmentType,
    Aggregation,
    ScheduledAction,
    SimpleScalingPolicy,
    StepAdjustment,
    StepScalingPolicy,
)
from tidemill.scaling.template.properties import (
    COUNT,
    bound,
    choice,
    entries,
    needed,
    optional,
    whole,
)
from tidemill.scaling.template.reading import Read
from tidemill.scaling.template.tracking import read_tracking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.spec import Alarm, Group, Policy
    from tidemill.scaling.template.document import Document
    from tidemill.scaling.template.resolver import Resolver

POLICY = "AWS::AutoScaling::ScalingPolicy"
SCHEDULED_ACTION = "AWS::AutoScaling::ScheduledAction"
MAX_POLICIES = 50
"""The largest number of scaling policies in one group (EC2 Auto Scaling quotas)."""

PREDICTIVE = (
    "PredictiveScaling is refused, and scales nothing here: it forecasts from days of a metric's "
    "history, by a method that AWS does not publish"
)
NEGATIVE = "an exact capacity cannot be negative"
UNCHANGED = -1
"""The value for a size that a scheduled action leaves unchanged (EC2 Auto Scaling API)."""


def read_policies(
    resolver: Resolver, group: Group
) -> Read[tuple[tuple[Policy, ...], tuple[Alarm, ...]]]:
    """Return a group's policies, and the alarms that its target tracking policies create.

    Raises:
        TemplateError: Auto Scaling would refuse a policy.
    """
    policies: list[Policy] = []
    alarms: list[Alarm] = []
    left_out: list[str] = []
    for logical_id in resolver.present(POLICY):
        where = f"Resources.{logical_id}.Properties"
        properties = resolver.properties(logical_id)
        if properties.get("AutoScalingGroupName") != group.name:
            continue
        match needed({"PolicyType": "SimpleScaling"} | properties, "PolicyType", where):
            case "StepScaling":
                policies.append(_step(logical_id, resolver.name(logical_id), properties))
            case "SimpleScaling":
                policies.append(_simple(logical_id, resolver.name(logical_id), properties))
            case "TargetTrackingScaling":
                policy, created = read_tracking(
                    logical_id, resolver.name(logical_id), properties, group
                )
                policies.append(policy)
                alarms.extend(created)
            case "PredictiveScaling":
                left_out.append(f"{where}: {PREDICTIVE}")
            case kind:
                left_out.append(f"{where}: {kind} is not modelled")
    if len(policies) > MAX_POLICIES:
        raise TemplateError(
            f"Resources: {len(policies)} policies of one group are more than {MAX_POLICIES}"
        )
    return Read((tuple(policies), tuple(alarms)), tuple(left_out))


def read_scheduled(resolver: Resolver, group: Group) -> Iterator[ScheduledAction]:
    """Yield a group's scheduled actions.

    Raises:
        TemplateError: an action has no size, no time, a time that cannot be read, or the start time
            of another action ("Scheduled scaling for Amazon EC2 Auto Scaling", Limitations).
    """
    starts: dict[float, str] = {}
    for logical_id in resolver.present(SCHEDULED_ACTION):
        where = f"Resources.{logical_id}.Properties"
        properties = resolver.properties(logical_id)
        if properties.get("AutoScalingGroupName") == group.name:
            action = _scheduled(logical_id, resolver.name(logical_id), properties, where)
            if action.start is not None:
                other = starts.setdefault(action.start, logical_id)
                if other != logical_id:
                    raise TemplateError(f"{where}.StartTime: {other} has the same start time")
            yield action


def _step(logical_id: str, name: str, properties: Document) -> StepScalingPolicy:
    where = f"Resources.{logical_id}.Properties"
    policy = StepScalingPolicy(
        logical_id=logical_id,
        name=name,
        adjustment_type=choice(AdjustmentType, properties, "AdjustmentType", where),
        steps=tuple(
            StepAdjustment(
                bound(step, "MetricIntervalLowerBound", where),
                bound(step, "MetricIntervalUpperBound", where),
                whole(step, "ScalingAdjustment", where),
            )
            for step in entries(properties, "StepAdjustments", where)
        ),
        warmup=optional(properties, "EstimatedInstanceWarmup", where, COUNT),
        min_adjustment_magnitude=optional(properties, "MinAdjustmentMagnitude", where, COUNT),
        aggregation=choice(
            Aggregation, properties, "MetricAggregationType", where, Aggregation.AVERAGE
        ),
    )
    problems = step_problems(policy.steps)
    if policy.adjustment_type is AdjustmentType.EXACT and any(
        step.adjustment < 0 for step in policy.steps
    ):
        problems.append(NEGATIVE)
    if problems:
        raise TemplateError(f"{where}.StepAdjustments: {'; '.join(problems)}")
    return policy


def _simple(logical_id: str, name: str, properties: Document) -> SimpleScalingPolicy:
    where = f"Resources.{logical_id}.Properties"
    policy = SimpleScalingPolicy(
        logical_id=logical_id,
        name=name,
        adjustment_type=choice(AdjustmentType, properties, "AdjustmentType", where),
        adjustment=whole(properties, "ScalingAdjustment", where),
        cooldown=optional(properties, "Cooldown", where, COUNT),
        min_adjustment_magnitude=optional(properties, "MinAdjustmentMagnitude", where, COUNT),
    )
    if policy.adjustment_type is AdjustmentType.EXACT and policy.adjustment < 0:
        raise TemplateError(f"{where}.ScalingAdjustment: {NEGATIVE}")
    return policy


def _scheduled(logical_id: str, name: str, properties: Document, where: str) -> ScheduledAction:
    recurrence = needed(properties, "Recurrence", where) if "Recurrence" in properties else None
    if recurrence is not None:
        problem = cron_problem(recurrence)
        if problem:
            raise TemplateError(f"{where}.Recurrence: {recurrence!r}: {problem}")
    zone = needed({"TimeZone": "Etc/UTC"} | properties, "TimeZone", where)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise TemplateError(f"{where}.TimeZone: {zone!r} is no IANA time zone") from error
    sizes = {
        key: _size(properties, key, where) for key in ("MinSize", "MaxSize", "DesiredCapacity")
    }
    if all(size is None for size in sizes.values()):
        raise TemplateError(f"{where}: give MinSize, MaxSize or DesiredCapacity")
    action = ScheduledAction(
        logical_id=logical_id,
        name=name,
        min_size=sizes["MinSize"],
        max_size=sizes["MaxSize"],
        desired=sizes["DesiredCapacity"],
        recurrence=recurrence,
        start=_moment(properties, "StartTime", where),
        end=_moment(properties, "EndTime", where),
        zone=zone,
    )
    if action.recurrence is None and action.start is None:
        raise TemplateError(f"{where}: give Recurrence or StartTime")
    if action.min_size is not None and action.max_size is not None:
        least, most = action.min_size, action.max_size
        if least > most:
            raise TemplateError(f"{where}: MinSize {least} is more than MaxSize {most}")
    return action


def _size(properties: Document, key: str, where: str) -> int | None:
    size = optional(properties, key, where, (UNCHANGED, COUNT[1]))
    return None if size == UNCHANGED else size


def _moment(properties: Document, key: str, where: str) -> float | None:
    """Return a time in epoch seconds; a time without an offset is in UTC."""
    if key not in properties:
        return None
    text = needed(properties, key, where)
    try:
        return datetime.fromisoformat(text if _has_offset(text) else f"{text}+00:00").timestamp()
    except ValueError as error:
        raise TemplateError(
            f"{where}.{key}: {text!r} is no time: write it as 2030-01-31T08:00:00Z"
        ) from error


def _has_offset(text: str) -> bool:
    clock = text.partition("T")[2]
    return clock.endswith("Z") or "+" in clock or "-" in clock
