"""Forms in which a published example may be written, and those that are refused."""

from __future__ import annotations

from typing import Any

import pytest
from support.examples.all_kinds import find
from support.examples.kind import ExampleError, UnknownFieldError

STEPS = [
    {"lower": 0, "upper": 10, "adj": 1},
    {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 2, "note": "the rest"},
]
RANGE = {"evaluation_periods": 3, "datapoints_to_alarm": None, "treat_missing_data": None}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"period_s": [10, 20, 30]}, {"evaluated_every_s": 10}, id="list-for-one"),
        pytest.param({"period_s": [10, 60]}, {"evaluated_every_s": [10, 60]}, id="side-by-side"),
        pytest.param({"period_s": ">= 60"}, {"evaluated_every_s": 60}, id="a-relation"),
        pytest.param(
            {"datapoints_oldest_first": "- - X - -", **RANGE}, {"state": "ALARM"}, id="symbols"
        ),
        pytest.param(
            {"datapoints_oldest_first": [None, None, 5, None, None], "threshold": 4, **RANGE},
            {"state": "ALARM"},
            id="numbers-and-nulls",
        ),
        pytest.param(
            {"datapoints_oldest_first": ["X", "X", "X"], "comparison": "LessThanThreshold"} | RANGE,
            {"state": "ALARM"},
            id="below",
        ),
        pytest.param(
            {"value": None, "treat_missing_data": "missing", "evaluation_periods": 1},
            {
                "state": "INSUFFICIENT_DATA",
                "stateReason": "Insufficient Data: 1 datapoint was unknown.",
            },
            id="no-value",
        ),
        pytest.param(
            {"action": "Auto Scaling", "alarm_stays_in_state_minutes": 3},
            {"invocations": "once per minute"},
            id="a-rate",
        ),
        pytest.param(
            {"StepAdjustments": STEPS, "Threshold": 50, "metric": [55, 60, None], "current": 1},
            {"desired": [2, 3, 1]},
            id="other-names-and-no-metric",
        ),
        pytest.param(
            {"current": 2, "adjustment": 3, "MaxSize": 3, "min_adjustment_magnitude": None},
            {"capacity": 3, "added": 1, "note": "clamped"},
            id="limits",
        ),
        pytest.param(
            {
                "current": 8,
                "policies": [
                    {"AdjustmentType": "ChangeInCapacity", "ScalingAdjustment": -3},
                    {"adjustment_type": "PercentChangeInCapacity", "adjustment": -25},
                ],
            },
            {"change": -2},
            id="policies",
        ),
        pytest.param(
            {"EstimatedInstanceWarmup": [60, None], "DefaultInstanceWarmup": 120},
            {"effective_warmup_s": [60, 120]},
            id="null-in-a-list",
        ),
        pytest.param({"DefaultInstanceWarmup": -1}, {"effective_warmup_s": 300}, id="cleared"),
        pytest.param(
            {"raw_change": [1.5, -0.5, -1.5]}, {"change": [2, 0, -1]}, id="three-examples"
        ),
        pytest.param(
            {"target": 100, "backlog_per_instance": 150, "in_service": 10},
            {"scale_out_by": 5},
            id="backlog",
        ),
        pytest.param(
            {"target": 100, "metric": None, "current": 10},
            {"scaling_activity": False},
            id="no-data",
        ),
        pytest.param({"out_ready": True}, {"scale_out": True}, id="one-for-a-list"),
        pytest.param(
            {"state": "Pending:Wait", "result": "CONTINUE"},
            {"next": "Pending:Proceed", "then": "InService"},
            id="a-hook-continues",
        ),
        pytest.param(
            {"HeartbeatTimeout_min": 60, "heartbeat_at_min": 30},
            {"held_until_min": 90, "global_timeout_h": 48},
            id="units",
        ),
        pytest.param(
            {"maxReceiveCount": 3, "receive_count_would_be": [3, 4]},
            {"moved_to_dlq": [False, True]},
            id="redrive",
        ),
        pytest.param(
            {"m1": None, "m2": [1, 2], "expression": "m1 + m2"}, {"values": [1, 2]}, id="m"
        ),
        pytest.param({"samples": [2, 4, 5]}, {"Sum": 11, "Maximum": 5}, id="samples"),
        pytest.param({}, {"max_batch_entries": 10, "max_wait_s": 20}, id="quotas"),
    ],
)
def test_another_form_is_understood(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """It is run, and it holds."""
    find({"input": given, "expected": expected}).run()


def test_what_the_file_says_to_be_contradicted_is_not_run() -> None:
    """The present page says otherwise."""
    vector = {"input": {"a": 1}, "expected": {"b": 2}, "conflicts_with": "another"}
    assert "older page" in find(vector).kind.why_not_run


@pytest.mark.parametrize(
    ("vector", "error", "words"),
    [
        pytest.param(
            {"input": {"desired": 5, "surge": 2}, "expected": {"max_replaced_at_a_time": 1}},
            UnknownFieldError,
            "unknown surge in 'how many are replaced at a time'",
            id="unknown-input",
        ),
        pytest.param(
            {"input": {"desired": 5}, "expected": {"max_replaced_at_a_time": 1, "each_s": 9}},
            UnknownFieldError,
            "unknown each_s in",
            id="unknown-result",
        ),
        pytest.param(
            {"input": {"color": "red"}, "expected": {"speed": 1}},
            ExampleError,
            r"no kind of example has the input \['color'\] and expects \['speed'\]",
            id="no-kind",
        ),
        pytest.param(
            {"input": {"desired": 5}, "expected": {"max_replaced_at_a_time": [1, 2]}},
            ExampleError,
            "cannot be read side by side: max_replaced_at_a_time",
            id="lists",
        ),
        pytest.param(
            {"input": {"desired": 5}, "expected": {"max_replaced_at_a_time": None}},
            ExampleError,
            "no kind",
            id="nothing-expected",
        ),
    ],
)
def test_what_is_not_understood_is_named(
    vector: dict[str, Any], error: type[Exception], words: str
) -> None:
    """The text names the fields."""
    with pytest.raises(error, match=words):
        find(vector)


def test_lists_stand_for_several_values() -> None:
    """Those of input and expectation are read side by side; a single expectation is for all."""
    side_by_side = {"input": {"desired": [5, 30]}, "expected": {"max_replaced_at_a_time": [1, 3]}}
    for_all = {"input": {"desired": [5, 9]}, "expected": {"max_replaced_at_a_time": 1}}
    for vector in (side_by_side, for_all):
        found = find(vector)
        assert len(found.cases) == 2
        found.run()


def test_other_names_and_units_mean_the_same() -> None:
    """AWS's own name of a field, and minutes instead of seconds, change nothing."""
    ours = {
        "input": {"period_s": 300, "evaluation_periods": 1},
        "expected": {"evaluated_every_s": 60},
    }
    others = {
        "input": {"period_min": 5, "EvaluationPeriods": 1},
        "expected": {"evaluated_every_min": 1},
    }
    assert find(ours).cases == find(others).cases
