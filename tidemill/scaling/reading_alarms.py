"""From a template's alarm resources to the alarms that trigger scaling policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.alarm import verify
from tidemill.scaling.errors import TemplateError
from tidemill.scaling.expression import ExpressionError
from tidemill.scaling.metrics import StatisticError
from tidemill.scaling.properties import (
    choice,
    entries,
    flag,
    items,
    needed,
    number,
    part,
    whole,
)
from tidemill.scaling.spec import Alarm, Comparison, Metric, MetricQuery, MetricStat, MissingData

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tidemill.scaling.intrinsics import Resolver
    from tidemill.scaling.spec import StepScalingPolicy
    from tidemill.scaling.template import Document

ALARM = "AWS::CloudWatch::Alarm"

# CloudWatch API, PutMetricAlarm.
HIGH_RESOLUTION_PERIODS = (10, 20, 30)
MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800
MAX_ACTIONS = 5
MAX_METRICS = 10


def read_alarms(
    resolver: Resolver, policies: Iterable[StepScalingPolicy], left_out: list[str]
) -> Iterator[Alarm]:
    """Yield the alarms whose actions are enabled and trigger one of these policies.

    `left_out` is added a sentence for what such an alarm has and scaling here leaves out.

    Raises:
        TemplateError: an alarm that triggers a policy cannot be followed here.
    """
    references = {
        resolver.resolve({"Ref": policy.logical_id}, "AlarmActions"): policy.logical_id
        for policy in policies
    }
    for logical_id in resolver.present(ALARM):
        where = f"Resources.{logical_id}.Properties"
        properties = resolver.properties(logical_id)
        if not flag(properties, "ActionsEnabled", where, default=True):
            continue
        left_out.extend(
            f"{where}.{key}: policies are triggered by AlarmActions only"
            for key in ("OKActions", "InsufficientDataActions")
            if _triggered(properties, key, where, references)
        )
        actions = _triggered(properties, "AlarmActions", where, references)
        if actions:
            left_out.extend(
                f"{where}.{feature}: not modelled"
                for feature in ("EvaluationWindow", "WarmUpConfiguration")
                if feature in properties
            )
            yield _alarm(logical_id, resolver.name(logical_id), properties, actions)


def _triggered(
    properties: Document, key: str, where: str, references: dict[str, str]
) -> tuple[str, ...]:
    targets = items(properties, key, where)
    if len(targets) > MAX_ACTIONS:
        raise TemplateError(f"{where}.{key}: {len(targets)} are more than {MAX_ACTIONS}")
    return tuple(
        references[target] for target in targets if isinstance(target, str) and target in references
    )


def _alarm(logical_id: str, name: str, properties: Document, actions: tuple[str, ...]) -> Alarm:
    where = f"Resources.{logical_id}.Properties"
    if "Metrics" in properties:
        queries, returned = _queries(properties, where)
    else:
        queries, returned = (MetricQuery("m1", _stat(properties, properties, where)),), "m1"
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
            MissingData, properties, "TreatMissingData", where, MissingData.MISSING
        ),
        actions=actions,
    )
    try:
        verify(alarm)
    except (ExpressionError, StatisticError) as error:
        raise TemplateError(f"Resources.{error}") from error  # starts with the logical id
    return alarm


def _queries(properties: Document, where: str) -> tuple[tuple[MetricQuery, ...], str]:
    queries: list[MetricQuery] = []
    returned: list[str] = []
    where = f"{where}.Metrics"
    for entry in entries(properties, "Metrics", where.removesuffix(".Metrics")):
        key = needed(entry, "Id", where)
        place = f"{where}.{key}"
        if key in {query.id for query in queries}:
            raise TemplateError(f"{place}: this Id stands twice: keep one")
        if ("MetricStat" in entry) == ("Expression" in entry):
            raise TemplateError(f"{place}: give either MetricStat or Expression")
        statistic = part(entry, "MetricStat", place)
        metric = part(statistic, "Metric", f"{place}.MetricStat")
        query = MetricQuery(
            id=key,
            stat=_stat(metric, statistic, f"{place}.MetricStat") if "MetricStat" in entry else None,
            expression=needed(entry, "Expression", place) if "Expression" in entry else None,
            label=needed({"Label": ""} | entry, "Label", place),
        )
        queries.append(query)
        if flag(entry, "ReturnData", place, default=True):
            returned.append(key)
    if len(returned) != 1:
        raise TemplateError(
            f"{where}: {len(returned)} entries return data: set ReturnData: false on all but one"
        )
    if sum(query.stat is not None for query in queries) > MAX_METRICS:
        raise TemplateError(f"{where}: more than {MAX_METRICS} metrics")
    return tuple(queries), returned[0]


def _stat(metric: Document, statistic: Document, where: str) -> MetricStat:
    key = "Stat" if "Stat" in statistic else "Statistic"
    if "ExtendedStatistic" in statistic:
        raise TemplateError(f"{where}.ExtendedStatistic is not modelled: use Statistic")
    period = whole(statistic, "Period", where, bounds=(1, WEEK))
    if period % MINUTE and period not in HIGH_RESOLUTION_PERIODS:
        raise TemplateError(f"{where}.Period: {period} is not 10, 20, 30 or a multiple of 60")
    return MetricStat(
        Metric(
            needed(metric, "Namespace", where),
            needed(metric, "MetricName", where),
            tuple(
                sorted(
                    (needed(pair, "Name", where), needed(pair, "Value", where))
                    for pair in entries(metric, "Dimensions", where)
                )
            ),
        ),
        period,
        needed(statistic, key, where),
    )
