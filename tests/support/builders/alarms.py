"""Builders of metrics, stores and alarms for tests of the scaling core."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tidemill.scaling.metrics.statistics import StatisticSet
from tidemill.scaling.metrics.store import Datapoint, MetricStore
from tidemill.scaling.spec import (
    Action,
    Alarm,
    Comparison,
    Metric,
    MetricQuery,
    MetricStat,
    PolicyAction,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VISIBLE = Metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", (("QueueName", "jobs"),))
IN_FLIGHT = Metric("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", (("QueueName", "jobs"),))
FOREVER = 1e9
ACTION_LISTS = ("actions", "ok_actions", "insufficient_data_actions")


def an_alarm(**changes: Any) -> Alarm:  # noqa: ANN401 - whatever a field of Alarm takes
    """Return an alarm on "more than 10 messages visible in 3 of 3 minutes", with changes.

    Actions may be given as logical ids of policies.
    """
    alarm = Alarm(
        logical_id="BacklogAlarm",
        name="backlog-high",
        queries=(MetricQuery("visible", MetricStat(VISIBLE, 60, "Maximum")),),
        returned="visible",
        comparison=Comparison.GREATER,
        threshold=10.0,
        period=60,
        evaluation_periods=3,
        datapoints_to_alarm=3,
    )
    lists = {name: actions_on(*changes[name]) for name in ACTION_LISTS if name in changes}
    return replace(alarm, **changes | lists)


def actions_on(*policies: str | Action) -> tuple[Action, ...]:
    """Return the actions that run policies with these logical ids; an action stays as it is."""
    return tuple(PolicyAction(one) if isinstance(one, str) else one for one in policies)


def an_expression_alarm(*expressions: tuple[str, str], **changes: Any) -> Alarm:  # noqa: ANN401 - fields of any kind
    """Return an alarm on the last of these (id, expression) pairs over visible and in_flight."""
    metrics = {"visible": VISIBLE, "in_flight": IN_FLIGHT}
    queries = (
        *(MetricQuery(key, MetricStat(one, 60, "Maximum")) for key, one in metrics.items()),
        *(MetricQuery(key, expression=text) for key, text in expressions),
    )
    return an_alarm(queries=queries, returned=expressions[-1][0], **changes)


def points(metric: Metric, values: Mapping[float, float]) -> Iterable[Datapoint]:
    """Return a datapoint of one sample for each timestamp."""
    return [Datapoint(metric, at, StatisticSet.of(value)) for at, value in values.items()]


def a_store(values: Mapping[float, float], metric: Metric = VISIBLE) -> MetricStore:
    """Return a store that holds these values by timestamp."""
    return MetricStore().record(points(metric, values), FOREVER)
