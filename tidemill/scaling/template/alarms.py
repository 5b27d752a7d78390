"""Reader of a template's alarms: those that run scaling policies of a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.alarms.alarm import verify
from tidemill.scaling.alarms.window import WALL_CLOCK_PERIODS
from tidemill.scaling.errors import TemplateError
from tidemill.scaling.metric_math.values import ExpressionError
from tidemill.scaling.metrics.statistics import StatisticError
from tidemill.scaling.spec import (
    Action,
    Alarm,
    Comparison,
    MissingData,
    OtherAction,
    PolicyAction,
    WarmUp,
)
from tidemill.scaling.template.properties import (
    as_text,
    choice,
    flag,
    items,
    needed,
    number,
    one_of,
    part,
    whole,
)
from tidemill.scaling.template.queries import WEEK, read_queries
from tidemill.scaling.template.reading import Read
from tidemill.scaling.template.time_zone import time_zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import tzinfo

    from tidemill.scaling.spec import MetricQuery, Policy
    from tidemill.scaling.template.document import Document
    from tidemill.scaling.template.resolver import Resolver

ALARM = "AWS::CloudWatch::Alarm"
COMPOSITE_ALARM = "AWS::CloudWatch::CompositeAlarm"

# CloudWatch API, PutMetricAlarm.
MINUTE, HOUR, DAY = 60, 3600, 86_400
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
MAX_ACTIONS = 5
WARM_UP_MINUTES = (1, 2880)
ANOMALY_COMPARISONS = {
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
}


def read_alarms(resolver: Resolver, policies: Iterable[Policy]) -> Read[tuple[Alarm, ...]]:
    """Return the alarms that run one of these policies and have their actions enabled.

    Composite alarms are left out: they cannot run a policy.

    Raises:
        TemplateError: an alarm that runs a policy is of a kind that is not modelled.
    """
    references = {
        resolver.resolve({"Ref": policy.logical_id}, "AlarmActions"): policy.logical_id
        for policy in policies
    }
    alarms = []
    for logical_id in resolver.present(ALARM):
        where = f"Resources.{logical_id}.Properties"
        properties = resolver.properties(logical_id)
        if not flag(properties, "ActionsEnabled", where, default=True):
            continue
        actions = {key: _actions(properties, key, where, references) for key in ACTIONS}
        if any(isinstance(one, PolicyAction) for listed in actions.values() for one in listed):
            alarms.append(_alarm(logical_id, resolver.name(logical_id), properties, actions))
    return Read(tuple(alarms), tuple(_left_out_composites(resolver, references)))


def _left_out_composites(resolver: Resolver, references: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each composite alarm.

    Raises:
        TemplateError: a composite alarm has a scaling policy as an action.
    """
    for logical_id in resolver.present(COMPOSITE_ALARM):
        where = f"Resources.{logical_id}.Properties"
        properties = resolver.properties(logical_id)
        for key in ACTIONS:
            listed = _actions(properties, key, where, references)
            if any(isinstance(action, PolicyAction) for action in listed):
                raise TemplateError(
                    f"{where}.{key}: a composite alarm cannot trigger a scaling policy (CloudWatch "
                    "allows it no Auto Scaling actions): give the policy to a metric alarm"
                )
        yield (
            f"Resources.{logical_id}: composite alarms are not modelled; they cannot trigger "
            "scaling policies"
        )


def _actions(
    properties: Document, key: str, where: str, references: Mapping[str, str]
) -> tuple[Action, ...]:
    targets = items(properties, key, where)
    if len(targets) > MAX_ACTIONS:
        raise TemplateError(f"{where}.{key}: {len(targets)} are more than {MAX_ACTIONS}")
    return tuple(
        PolicyAction(references[target]) if target in references else OtherAction(target)
        for target in map(str, targets)
    )


def _alarm(
    logical_id: str, name: str, properties: Document, actions: Mapping[str, tuple[Action, ...]]
) -> Alarm:
    where = f"Resources.{logical_id}.Properties"
    _refuse_other_kinds(properties, where)
    queries, returned = read_queries(properties, where)
    periods = {query.stat.period for query in queries if query.stat}
    if len(periods) != 1:
        raise TemplateError(f"{where}: give all metrics of the alarm one and the same Period")
    period = periods.pop()
    most = (DAY if period < HOUR else WEEK) // period
    evaluated = whole(properties, "EvaluationPeriods", where, bounds=(1, most))
    alarm = Alarm(
        logical_id=logical_id,
        name=name,
        queries=queries,
        returned=returned,
        comparison=choice(Comparison, properties, "ComparisonOperator", where),
        threshold=number(properties, "Threshold", where),
        period=period,
        evaluation_periods=evaluated,
        datapoints_to_alarm=whole(
            properties, "DatapointsToAlarm", where, evaluated, (1, evaluated)
        ),
        missing_data=choice(
            MissingData, properties, "TreatMissingData", where, _default_treatment(queries)
        ),
        ignore_low_samples=one_of(
            ("evaluate", "ignore"),
            properties,
            "EvaluateLowSampleCountPercentile",
            where,
            default="evaluate",
        )
        == "ignore",
        wall_clock=_wall_clock(properties, period, where),
        warm_up=_warm_up(properties, where),
        actions=actions["AlarmActions"],
        ok_actions=actions["OKActions"],
        insufficient_data_actions=actions["InsufficientDataActions"],
    )
    try:
        verify(alarm)
    except (ExpressionError, StatisticError) as error:
        raise TemplateError(f"Resources.{error}") from error  # starts with the logical id
    return alarm


def _wall_clock(properties: Document, period: int, where: str) -> tzinfo | None:
    """Return the time zone of a wall clock window, or None for a sliding window.

    Raises:
        TemplateError: the window is of an unknown kind, or does not allow this period.
    """
    window = part(properties, "EvaluationWindow", where)
    where = f"{where}.EvaluationWindow"
    if not window.keys() <= {"SlidingWindow", "WallClockWindow"} or len(window) > 1:
        raise TemplateError(f"{where}: give SlidingWindow or WallClockWindow")
    if "WallClockWindow" not in window:
        return None
    if period not in WALL_CLOCK_PERIODS:
        raise TemplateError(
            f"{where}: a wall clock window cannot have a period of {period}: give the metrics "
            f"one of {', '.join(map(str, WALL_CLOCK_PERIODS))}"
        )
    clock = part(window, "WallClockWindow", where)
    return time_zone(needed({"Timezone": "UTC"} | clock, "Timezone", where), where)


def _warm_up(properties: Document, where: str) -> WarmUp | None:
    if "WarmUpConfiguration" not in properties:
        return None
    settings = part(properties, "WarmUpConfiguration", where)
    where = f"{where}.WarmUpConfiguration"
    minutes = whole(settings, "WarmUpPeriodDurationInMinutes", where, bounds=WARM_UP_MINUTES)
    waits = flag(settings, "OnlyStartEvaluatingAfterWarmUpPeriodEnds", where, default=False)
    return WarmUp(minutes * MINUTE, whole=waits)


def _refuse_other_kinds(properties: Document, where: str) -> None:
    """Refuse the kinds of metric alarms that are not modelled, with the reason.

    Raises:
        TemplateError: the alarm is on an anomaly detection model or on a PromQL query.
    """
    comparison = as_text(properties.get("ComparisonOperator", ""), f"{where}.ComparisonOperator")
    for key, anomaly in (
        ("ThresholdMetricId", "ThresholdMetricId" in properties),
        ("ComparisonOperator", comparison in ANOMALY_COMPARISONS),
    ):
        if anomaly:
            raise TemplateError(
                f"{where}.{key}: an alarm on an anomaly detection band cannot trigger a scaling "
                "policy (API, PutMetricAlarm): give it a Threshold"
            )
    if "EvaluationCriteria" in properties:
        raise TemplateError(
            f"{where}.EvaluationCriteria: an alarm on a PromQL query cannot trigger a scaling "
            "policy (CloudWatch, Alarm actions): give it MetricName or Metrics"
        )


def _default_treatment(queries: tuple[MetricQuery, ...]) -> MissingData:
    """Return the default of TreatMissingData: ignore for metrics of DynamoDB, else missing."""
    dynamo = any(query.stat and query.stat.metric.namespace == "AWS/DynamoDB" for query in queries)
    return MissingData.IGNORE if dynamo else MissingData.MISSING
