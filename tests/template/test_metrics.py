"""Metrics: every metric that an alarm or a dashboard uses is published."""

from __future__ import annotations

from typing import Any, Final

import pytest
from botocore.session import get_session
from support.fakes.instance import PLACE
from support.stack.metric_uses import VARIANTS, Use, resolver, table, used

STATISTICS: Final = {"gauge": {"Average", "Maximum", "Minimum"}, "count": {"Sum"}}
"""Statistics that make sense for a kind of metric."""
PERIODS: Final = {10, 20, 30}
"""Seconds; others are whole minutes (API reference, PutMetricAlarm)."""


def every_use() -> list[Any]:
    """Return all uses of metrics as cases with readable ids, each once."""
    uses = dict.fromkeys(use for variant in VARIANTS for use in used(variant))
    return [pytest.param(use, id=f"{use.where}:{use.name}:{use.statistic}") for use in uses]


@pytest.mark.parametrize("use", every_use())
def test_somebody_publishes_it(use: Use) -> None:
    """A program or a service publishes it with these dimensions, as often, in this unit."""
    (row,) = (row for row in table() if row.identity == use.identity)
    assert use.statistic in STATISTICS[row.kind]
    assert use.period >= row.resolution
    assert use.period in PERIODS or use.period % 60 == 0
    if use.unit is not None:
        assert use.unit == row.unit


@pytest.mark.parametrize("use", every_use())
def test_it_is_of_this_stack(use: Use) -> None:
    """A dimension's value is the name of a resource of this stack."""
    template = resolver()
    queues = ("WorkQueue", "WorkDeadLetterQueue")
    own = {
        "QueueName": {resolver(one).name(queue) for one in VARIANTS for queue in queues},
        "AutoScalingGroupName": {template.name("WorkerGroup")},
        "Stack": {PLACE.stack},
    }
    for name, value in use.dimensions:
        assert value in own[name]


def test_nothing_else_is_in_the_table() -> None:
    """The table has no metric that nothing uses, so that it stays readable."""
    uses = {use.identity for variant in VARIANTS for use in used(variant)}
    assert [row.identity for row in table() if row.identity not in uses] == []


def test_the_table_uses_cloudwatchs_units() -> None:
    """Units are CloudWatch's, and each row names its source."""
    model = get_session().get_service_model("cloudwatch")
    units = set(model.shape_for("StandardUnit").metadata["enum"])
    assert {row.unit for row in table()} <= units
    assert {row.kind for row in table()} <= STATISTICS.keys()
    ours = {"consumer", "signal function", "user data", "metric filter", "agent"}
    assert {row.source for row in table() if not row.namespace.startswith("AWS/")} == ours


def test_the_group_publishes_every_metric_that_is_used() -> None:
    """Auto Scaling publishes only the group metrics that are enabled, here every minute."""
    (collection,) = resolver().properties("WorkerGroup")["MetricsCollection"]
    wanted = {row.name for row in table() if row.namespace == "AWS/AutoScaling"}
    assert set(collection["Metrics"]) == wanted
    assert collection["Granularity"] == "1Minute"
