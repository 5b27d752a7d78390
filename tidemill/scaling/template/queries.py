"""Reader of an alarm's queries: its metrics and expressions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.metric_math.grammar import is_insights_query
from tidemill.scaling.metrics.statistics import STATISTICS
from tidemill.scaling.spec import Metric, MetricQuery, MetricStat
from tidemill.scaling.template.properties import entries, flag, needed, one_of, part, whole

if TYPE_CHECKING:
    from tidemill.scaling.template.document import Document

# CloudWatch API, PutMetricAlarm and MetricDataQuery.
HIGH_RESOLUTION_PERIODS = (10, 20, 30)
MINUTE, WEEK = 60, 604_800
MAX_METRICS = 10
MAX_EXPRESSIONS = 10
MAX_EXPRESSION_LENGTH = 2048
SIZES = ("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes")
RATED = (*SIZES, "Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Count")
UNITS = (
    *("Seconds", "Microseconds", "Milliseconds", "Percent", "None"),
    *RATED,
    *(f"{unit}/Second" for unit in RATED),
)
IDENTIFIER = re.compile(r"[a-z][A-Za-z0-9_]*", re.ASCII)


def read_queries(properties: Document, where: str) -> tuple[tuple[MetricQuery, ...], str]:
    """Return the queries in an alarm's properties, and the id of the query that the alarm watches.

    Raises:
        TemplateError: a query is not allowed in an alarm, or is not modelled.
    """
    if "Metrics" in properties:
        return _queries(properties, where)
    period = _period(properties, where)
    stat = MetricStat(_metric(properties, where), period, _statistic(properties, where))
    return (MetricQuery("m1", stat, unit=_unit(properties, where)),), "m1"


def _queries(properties: Document, where: str) -> tuple[tuple[MetricQuery, ...], str]:
    queries: list[MetricQuery] = []
    returned: list[str] = []
    where = f"{where}.Metrics"
    for entry in entries(properties, "Metrics", where.removesuffix(".Metrics")):
        query = _query(entry, where)
        if query.id in {other.id for other in queries}:
            raise TemplateError(f"{where}.{query.id}: this Id appears twice: keep one")
        queries.append(query)
        if flag(entry, "ReturnData", f"{where}.{query.id}", default=True):
            returned.append(query.id)
    if len(returned) != 1:
        raise TemplateError(
            f"{where}: {len(returned)} entries return data: set ReturnData: false on all but one"
        )
    metrics = sum(query.stat is not None for query in queries)
    for kind, count, most in (
        ("metrics", metrics, MAX_METRICS),
        ("expressions", len(queries) - metrics, MAX_EXPRESSIONS),
    ):
        if count > most:
            raise TemplateError(f"{where}: more than {most} {kind}")
    return tuple(queries), returned[0]


def _query(entry: Document, where: str) -> MetricQuery:
    key = needed(entry, "Id", where)
    place = f"{where}.{key}"
    if not IDENTIFIER.fullmatch(key):
        raise TemplateError(
            f"{place}: an Id starts with a lower-case letter and has letters, digits and _ only"
        )
    if ("MetricStat" in entry) == ("Expression" in entry):
        raise TemplateError(f"{place}: give either MetricStat or Expression")
    if "AccountId" in entry:
        raise TemplateError(f"{place}.AccountId: metrics of other accounts are not modelled")
    label = needed({"Label": ""} | entry, "Label", place)
    if "Expression" in entry:
        return MetricQuery(key, expression=_expression(entry, place), label=label)
    place = f"{place}.MetricStat"
    statistic = part(entry, "MetricStat", place.removesuffix(".MetricStat"))
    metric = part(statistic, "Metric", place)
    period = _period(statistic, place)
    stat = MetricStat(_metric(metric, place), period, needed(statistic, "Stat", place))
    return MetricQuery(key, stat, label=label, unit=_unit(statistic, place))


def _expression(entry: Document, place: str) -> str:
    text = needed(entry, "Expression", place)
    if is_insights_query(text):
        raise TemplateError(
            f"{place}.Expression: a Metrics Insights query is not modelled: give the alarm the "
            "metric itself"
        )
    if len(text) > MAX_EXPRESSION_LENGTH:
        raise TemplateError(f"{place}.Expression: more than {MAX_EXPRESSION_LENGTH} characters")
    return text


def _statistic(properties: Document, where: str) -> str:
    """Return the statistic of an alarm on one metric: Statistic or ExtendedStatistic."""
    if "ExtendedStatistic" not in properties:
        stat = needed(properties, "Statistic", where)
        if stat not in STATISTICS:
            raise TemplateError(
                f"{where.removesuffix('.Properties')}: statistic {stat!r} is none of "
                f"{', '.join(STATISTICS)}: give any other one as ExtendedStatistic"
            )
        return stat
    if "Statistic" in properties:
        raise TemplateError(f"{where}: use Statistic or ExtendedStatistic, not both")
    return needed(properties, "ExtendedStatistic", where)


def _unit(statistic: Document, where: str) -> str | None:
    return one_of(UNITS, statistic, "Unit", where) if "Unit" in statistic else None


def _metric(metric: Document, where: str) -> Metric:
    return Metric(
        needed(metric, "Namespace", where),
        needed(metric, "MetricName", where),
        tuple(
            sorted(
                (needed(pair, "Name", where), needed(pair, "Value", where))
                for pair in entries(metric, "Dimensions", where)
            )
        ),
    )


def _period(statistic: Document, where: str) -> int:
    period = whole(statistic, "Period", where, bounds=(1, WEEK))
    if period % MINUTE and period not in HIGH_RESOLUTION_PERIODS:
        raise TemplateError(f"{where}.Period: {period} is not 10, 20, 30 or a multiple of 60")
    return period
