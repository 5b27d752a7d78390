"""Publishers: our own metrics are published as the table says."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import pytest
from support.aws_rules.emf import published
from support.fakes.instance import PLACE, user_data
from support.fakes.signal_function import START, sample
from support.stack.metric_uses import from_source, resolver

from consumer import settings
from consumer.logs.counts import Counts, MetricLabels, cycle_line, missing_line

if TYPE_CHECKING:
    from support.aws_rules.emf import Published


def assert_published(metrics: list[Published], source: str) -> None:
    """Check that these are the metrics of that source, with their units and resolutions."""
    rows = from_source(source)
    assert {(metric.namespace, metric.name, metric.dimensions) for metric in metrics} == rows.keys()
    for metric in metrics:
        row = rows[metric.namespace, metric.name, metric.dimensions]
        assert (metric.unit, metric.resolution) == (row.unit, row.resolution)


def test_the_consumer() -> None:
    """Two lines have the consumer's metrics, in the default namespace."""
    namespace = settings.read({"QUEUE_URL": "https://queue"}, "host").metrics_namespace
    assert "METRICS_NAMESPACE" not in user_data()
    source = MetricLabels(namespace, "shop-work", "i-1")
    counts = Counts(received=9, processed=4, failed=3, invalid=2, deleted=1)
    lines = [cycle_line(source, counts, 1.5, START), missing_line(source, 7, START)]
    metrics = [metric for line in lines for metric in published(json.dumps(line), START)]
    assert_published(metrics, "consumer")
    assert [metric.value for metric in metrics] == [9, 4, 3, 2, 7]


def test_the_agents_copy_of_the_consumers_line_counts_nothing_twice() -> None:
    """The agent sends Docker's file, in which the line is a text within another object."""
    line = json.dumps(
        cycle_line(MetricLabels("Tidemill", "shop-work", "i-1"), Counts(), 1.5, START)
    )
    with pytest.raises(ValueError, match="_aws"):
        published(json.dumps({"log": line, "stream": "stdout"}), START)


def test_the_signal_function() -> None:
    """The function takes six samples within a minute and within its own time limit."""
    sampled = sample(visible=3, in_flight=2, desired=1)
    assert len(sampled.lines) == 6
    for number, line in enumerate(sampled.lines):
        metrics = published(line, START + 10 * number)
        assert_published(metrics, "signal function")
        assert {metric.name: metric.value for metric in metrics} == {
            "Backlog": 5,
            "DesiredCapacity": 1,
        }
    properties = resolver().properties("SignalFunction")
    assert sampled.seconds < properties["Timeout"] < 60
    every_minute = properties["Events"]["EveryMinute"]["Properties"]
    assert every_minute["ScheduleExpression"] == "rate(1 minute)"


def test_the_signal_functions_samples_are_of_different_moments() -> None:
    """Each sample is in another ten seconds, so no period of the alarm is empty."""
    lines = sample(visible=0, in_flight=0, desired=0).lines
    moments = [json.loads(line)["_aws"]["Timestamp"] // 10_000 for line in lines]
    assert len(set(moments)) >= len(moments) - 1


def test_user_data() -> None:
    """The script publishes its metrics with these calls of put-metric-data, and has no others."""
    identities = set()
    for call in re.findall(r"aws cloudwatch put-metric-data ([^;\n]+)", user_data()):
        words = shlex.split(call)
        given = dict(zip(words[::2], words[1::2], strict=True))
        dimensions = [pair.partition("=") for pair in given["--dimensions"].split(",")]
        identity = (
            given["--namespace"],
            given["--metric-name"],
            tuple(name for name, _, _ in dimensions),
        )
        identities.add(identity)
        assert [value for _, _, value in dimensions] == [PLACE.stack]
        assert from_source("user data")[identity].unit == given.get("--unit", "None")
    assert from_source("user data").keys() == identities


def test_the_metric_filter() -> None:
    """The metric has a default value, which a metric with dimensions cannot have."""
    (change,) = resolver().properties("ConsumerErrorsMetricFilter")["MetricTransformations"]
    (row,) = from_source("metric filter").values()
    assert (change["MetricNamespace"], change["MetricName"]) == (row.namespace, row.name)
    assert change["Unit"] == row.unit
    assert change["MetricValue"] == "1"
    assert row.dimensions == tuple(change.get("Dimensions", ()))


def test_the_agent() -> None:
    """The agent's configuration has these names, this namespace and these dimensions."""
    config = json.loads(resolver().properties("AgentConfigParameter")["Value"])
    metrics = config["metrics"]
    names = {
        name if name.startswith(f"{section}_") else f"{section}_{name}"
        for section, part in metrics["metrics_collected"].items()
        for name in part["measurement"]
    }
    for part in metrics["metrics_collected"].values():
        assert part["drop_original_metrics"] == part["measurement"], "an instance has none"
    (dimensions,) = metrics["aggregation_dimensions"]
    rows = from_source("agent")
    assert rows.keys() == {(metrics["namespace"], name, tuple(dimensions)) for name in names}
    # The agent takes these pairs as they stand, and no others.
    assert metrics["append_dimensions"] == {
        "AutoScalingGroupName": "${aws:AutoScalingGroupName}",
        "InstanceId": "${aws:InstanceId}",
    }
    assert set(dimensions) <= metrics["append_dimensions"].keys()
    interval = config["agent"]["metrics_collection_interval"]
    assert {row.resolution for row in rows.values()} == {interval}


def test_the_agent_writes_where_there_is_a_log_group() -> None:
    """The agent collects the containers' output, with the messages' content, and the boot log."""
    config = json.loads(resolver().properties("AgentConfigParameter")["Value"])
    files = config["logs"]["logs_collected"]["files"]["collect_list"]
    group = resolver().name("HostLogGroup")
    assert {file["log_group_name"] for file in files} == {group}
    assert len({file["log_stream_name"] for file in files}) == len(files)
    assert all(file["log_stream_name"].startswith("{instance_id}/") for file in files)
