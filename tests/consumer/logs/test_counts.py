"""Tests of counting, and of the metrics line by the specification of the embedded metric format."""

from __future__ import annotations

import json

from support.fakes.consuming import START

from consumer.logs.counts import METRICS, Counts, MetricLabels, cycle_line, missing_line
from shared.logs import encode_line

LABELS = MetricLabels("Tidemill", "work", "i-0123")
COUNTS = Counts(received=10, processed=7, failed=2, invalid=1, deleted=6)


def test_the_line_holds_what_the_specification_requires() -> None:
    """The line has a timestamp in milliseconds, one directive, and targets on the root node."""
    fields = cycle_line(LABELS, COUNTS, 1.23456, START + 0.5)
    assert fields["_aws"] == {
        "Timestamp": 1_790_000_000_500,
        "CloudWatchMetrics": [
            {
                "Namespace": "Tidemill",
                "Dimensions": [["QueueName"]],
                "Metrics": [
                    {"Name": "MessagesReceived", "Unit": "Count"},
                    {"Name": "MessagesProcessed", "Unit": "Count"},
                    {"Name": "MessagesFailed", "Unit": "Count"},
                    {"Name": "MessagesInvalid", "Unit": "Count"},
                ],
            }
        ],
    }
    assert [fields[name] for name in METRICS] == [10, 7, 2, 1]
    assert fields["QueueName"] == "work"


def test_the_instance_is_a_property_and_no_dimension() -> None:
    """A dimension for each instance would be charged as metrics of its own."""
    fields = cycle_line(LABELS, COUNTS, 1.23456, START)
    assert (fields["instance_id"], fields["deleted"]) == ("i-0123", 6)
    assert fields["duration_seconds"] == 1.235
    [directive] = fields["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["QueueName"]]


def test_the_line_is_one_json_object() -> None:
    """CloudWatch takes metrics only from an event that is one JSON object and nothing else."""
    encoded = encode_line(cycle_line(LABELS, COUNTS, 1, START))
    assert b"\n" not in encoded
    assert json.loads(encoded)["event"] == "cycle"


def test_the_line_of_a_gap_is_a_metric_of_its_own() -> None:
    """A cycle's line may be dropped itself, so its count of dropped lines is no metric."""
    fields = missing_line(LABELS, 7, START)
    [directive] = fields["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": "LogLinesDropped", "Unit": "Count"}]
    assert directive["Dimensions"] == [["QueueName"]]
    assert (fields["LogLinesDropped"], fields["QueueName"]) == (7, "work")
    cycle = cycle_line(LABELS, COUNTS, 1, START, lines_dropped=7)
    assert cycle["log_lines_dropped"] == 7
    assert "log_lines_dropped" not in cycle_line(LABELS, COUNTS, 1, START)
