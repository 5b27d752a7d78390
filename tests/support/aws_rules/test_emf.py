"""Tests of the reader of the embedded metric format: it takes no line that CloudWatch refuses."""

from __future__ import annotations

import json

import pytest
from support.aws_rules.emf import published

from consumer.logs.counts import Counts, MetricLabels, cycle_line

START = 1_800_000_000.0


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        pytest.param({"QueueName": 5}, "a short text", id="a-dimension-that-is-no-text"),
        pytest.param({"QueueName": ""}, "a short text", id="an-empty-dimension"),
        pytest.param({"MessagesFailed": "1"}, "a number", id="a-value-that-is-no-number"),
        pytest.param({"MessagesFailed": True}, "a number", id="a-value-that-is-true"),
        pytest.param({"_aws": 5}, "an object with _aws", id="no-metadata"),
    ],
)
def test_a_broken_rule_is_reported(change: dict[str, object], asked: str) -> None:
    """A reader that accepts everything would make the tests of the publishers useless."""
    line = cycle_line(MetricLabels("Tidemill", "shop-work", "i-1"), Counts(), 1.5, START)
    with pytest.raises(ValueError, match=asked):
        published(json.dumps(line | change), START)


def test_seconds_for_milliseconds_are_reported() -> None:
    """CloudWatch would read such a time as one in 1970, and drop the metric."""
    line = cycle_line(MetricLabels("Tidemill", "shop-work", "i-1"), Counts(), 1.5, START / 1000)
    with pytest.raises(ValueError, match="milliseconds"):
        published(json.dumps(line), START)
