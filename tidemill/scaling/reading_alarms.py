"""From a template's alarm resources to the alarms that trigger scaling policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.alarm import verify
from tidemill.scaling.errors import TemplateError
from tidemill.scaling.expression import ExpressionError
from tidemill.scaling.metrics import StatisticError
from tidemill.scaling.properties import choice, needed, whole
from tidemill.scaling.spec import Alarm, Comparison, Metric, MetricQuery, MetricStat, MissingData

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemill.scaling.intrinsics import Resolver
    from tidemill.scaling.spec import StepScalingPolicy
    from tidemill.scaling.template import Document

ALARM = "AWS::CloudWatch::Alarm"


def read_alarms(resolver: Resolver, policies: Iterable[StepScalingPolicy]) -> Iterable[Alarm]:
    """Yield the alarms whose actions are enabled and trigger one of these policies."""
    references = {
        resolver.resolve({"Ref": policy.logical_id}, "AlarmActions"): policy.logical_id
        for policy in policies
    }
    for logical_id in resolver.present(ALARM):
        where = f"Resources.{logical_id}.Properties"
        properties = resolver.properties(logical_id)
        actions = tuple(
            references[action]
            for action in properties.get("AlarmActions", [])
            if action in references
        )
        if actions and str(properties.get("ActionsEnabled", True)).lower() != "false":
            yield _alarm(logical_id, resolver.name(logical_id), properties, actions, where)


def _alarm(
    logical_id: str, name: str, properties: Document, actions: tuple[str, ...], where: str
) -> Alarm:
    if "Metrics" in properties:
        queries, returned = _queries(properties["Metrics"], f"{where}.Metrics")
    else:
        queries, returned = (MetricQuery("m1", _stat(properties, properties, where)),), "m1"
    periods = {query.stat.period for query in queries if query.stat}
    if len(periods) != 1:
        raise TemplateError(f"{where}: an alarm's metrics need one and the same Period")
    evaluated = whole(properties, "EvaluationPeriods", where)
    alarm = Alarm(
        logical_id=logical_id,
        name=name,
        queries=queries,
        returned=returned,
        comparison=choice(Comparison, properties, "ComparisonOperator", where),
        threshold=float(needed(properties, "Threshold", where)),
        period=periods.pop(),
        evaluation_periods=evaluated,
        datapoints_to_alarm=whole(properties, "DatapointsToAlarm", where, evaluated),
        missing_data=choice(
            MissingData, {"TreatMissingData": "missing"} | properties, "TreatMissingData", where
        ),
        actions=actions,
    )
    try:
        verify(alarm)
    except (ExpressionError, StatisticError) as error:
        raise TemplateError(f"{where}: {error}") from error
    return alarm


def _queries(entries: list[Document], where: str) -> tuple[tuple[MetricQuery, ...], str]:
    queries: list[MetricQuery] = []
    returned: list[str] = []
    for entry in entries:
        place = f"{where}.{entry.get('Id')}"
        query = MetricQuery(
            id=needed(entry, "Id", where),
            stat=_stat(entry["MetricStat"]["Metric"], entry["MetricStat"], place)
            if "MetricStat" in entry
            else None,
            expression=entry.get("Expression"),
            label=entry.get("Label", ""),
        )
        queries.append(query)
        if entry.get("ReturnData", True) is not False:
            returned.append(query.id)
    if len(returned) != 1:
        raise TemplateError(f"{where}: exactly one entry needs ReturnData, not {len(returned)}")
    return tuple(queries), returned[0]


def _stat(metric: Document, statistic: Document, where: str) -> MetricStat:
    stat = statistic.get("Stat") or statistic.get("Statistic")
    if stat is None:
        raise TemplateError(f"{where}: needs a Statistic; ExtendedStatistic is not modelled")
    return MetricStat(
        Metric(
            needed(metric, "Namespace", where),
            needed(metric, "MetricName", where),
            tuple(sorted((d["Name"], str(d["Value"])) for d in metric.get("Dimensions", []))),
        ),
        whole(statistic, "Period", where, 60),
        str(stat),
    )
