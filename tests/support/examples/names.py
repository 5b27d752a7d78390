"""Names of fields in published examples: commentary, and AWS's own names for fields of ours."""

from __future__ import annotations

import re
from typing import Any, Final

COMMENTARY: Final = frozenset(
    {
        "because",
        "caveat",
        "comment",
        "comments",
        "description",
        "example",
        "explanation",
        "label",
        "note",
        "notes",
        "page",
        "quote",
        "rationale",
        "remark",
        "remarks",
        "rule",
        "see",
        "source",
        "title",
        "url",
        "why",
    }
)
"""Names of fields that say something about an example and are no part of it."""

_MARKED: Final = re.compile(r"(^|_)(comment|note|remark|rule|why)s?(_|$)|^(//|_|\$comment|x-)")

AWS_NAMES: Final = {
    "AdjustmentType": "adjustment_type",
    "AutoScalingGroupName": "asg",
    "ComparisonOperator": "comparison",
    "DatapointsToAlarm": "datapoints_to_alarm",
    "DesiredCapacity": "desired",
    "EvaluationPeriods": "evaluation_periods",
    "MaxHealthyPercentage": "max_healthy_pct",
    "MaxSize": "max",
    "MetricIntervalLowerBound": "lower",
    "MetricIntervalUpperBound": "upper",
    "MinAdjustmentMagnitude": "min_adjustment_magnitude",
    "MinHealthyPercentage": "min_healthy_pct",
    "MinSize": "min",
    "Period": "period_s",
    "ScalingAdjustment": "adjustment",
    "StateReason": "stateReason",
    "StateValue": "state",
    "Statistic": "statistic",
    "StepAdjustments": "steps",
    "TargetValue": "target",
    "Threshold": "threshold",
    "TreatMissingData": "treat_missing_data",
    "add": "added",
    "adj": "adjustment",
    "backlog_per_instance": "metric",
    "comparison_operator": "comparison",
    "desired_capacity": "desired",
    "in_service": "current",
    "max_capacity": "max",
    "max_size": "max",
    "min_capacity": "min",
    "min_size": "min",
    "scale_out_by": "added",
}
"""Our names of fields for the names that AWS's API, and other people, have for them."""


def is_commentary(name: str) -> bool:
    """Return whether a field of this name only comments on the example."""
    return name in COMMENTARY or _MARKED.search(name) is not None


def plain(value: Any) -> Any:  # noqa: ANN401 - any part of an example
    """Return a part of an example without comments in it, and with 5 for 5.0, on any level."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if not is_commentary(name)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
