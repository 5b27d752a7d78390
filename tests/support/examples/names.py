"""Names of fields in published examples: commentary, AWS's own names, and units at their end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection

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


SECONDS: Final = {
    "ms": 0.001,
    "s": 1,
    "sec": 1,
    "seconds": 1,
    "min": 60,
    "minutes": 60,
    "h": 3600,
    "hours": 3600,
    "d": 86_400,
    "days": 86_400,
}


def converted(name: str, value: Any, known: Collection[str]) -> dict[str, Any]:  # noqa: ANN401 - a number, or anything else
    """Return a field under the known name that has the same stem and another unit.

    Example: {"period_min": 5} is {"period_s": 300} if `period_s` is known. A field without such a
    counterpart stays as it is.
    """
    stem, _, unit = name.rpartition("_")
    if not stem or unit not in SECONDS:
        return {name: value}
    for ours, size in SECONDS.items():
        if f"{stem}_{ours}" in known:
            return {f"{stem}_{ours}": _times(value, SECONDS[unit] / size)}
    return {name: value}


def _times(value: Any, factor: float) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, list):
        return [_times(item, factor) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    scaled = round(value * factor, 9)
    return int(scaled) if scaled == int(scaled) else scaled
