"""Metrics that CloudWatch extracts from a log line: the rules of the embedded metric format.

Rules: CloudWatch user guide, "Specification: Embedded metric format".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

MOST_METRICS: Final = 100
MOST_DIMENSIONS: Final = 30
LONGEST_DIMENSION: Final = 1024
LARGEST_LINE: Final = 1_048_576
HOURS_2: Final = 7_200_000
WEEKS_2: Final = 1_209_600_000
"""Milliseconds by which a metric's time may be ahead or behind (API reference, MetricDatum)."""


@dataclass(frozen=True, slots=True)
class Published:
    """A metric as a line publishes it; `resolution` is in seconds."""

    namespace: str
    name: str
    dimensions: tuple[str, ...]
    unit: str
    resolution: int
    value: float


def published(line: str, now: float) -> list[Published]:
    """Return the metrics that CloudWatch extracts from a line that it receives at epoch `now`.

    Raises:
        ValueError: the line breaks a rule of the format, so that CloudWatch extracts no metric.
    """
    _hold(len(line.encode()) <= LARGEST_LINE, "a log event of at most 1 MB")
    root = json.loads(line)
    _hold(isinstance(root, dict) and isinstance(root.get("_aws"), dict), "an object with _aws")
    age = now * 1000 - root["_aws"].get("Timestamp", 0)
    _hold(isinstance(root["_aws"].get("Timestamp"), int), "a whole Timestamp")
    _hold(-HOURS_2 <= age <= WEEKS_2, "a Timestamp in milliseconds, of about now")
    found = []
    for directive in root["_aws"]["CloudWatchMetrics"]:
        _hold(directive.keys() == {"Namespace", "Dimensions", "Metrics"}, "no other members")
        _hold(1 <= len(directive["Namespace"]) <= LONGEST_DIMENSION, "a namespace")
        _hold(1 <= len(directive["Metrics"]) <= MOST_METRICS, "at most 100 metrics")
        _hold(bool(directive["Dimensions"]), "a set of dimensions, which may be empty")
        for names in directive["Dimensions"]:
            _hold(len(names) <= MOST_DIMENSIONS, "at most 30 dimensions")
            for name in names:
                _hold(_is_dimension(root.get(name)), f"a short text at {name}")
            found += [
                _metric(root, directive["Namespace"], tuple(names), metric)
                for metric in directive["Metrics"]
            ]
    return found


def _metric(
    root: dict[str, Any], namespace: str, dimensions: tuple[str, ...], metric: dict[str, Any]
) -> Published:
    _hold(metric.keys() <= {"Name", "Unit", "StorageResolution"}, "no other members")
    value = root.get(metric["Name"])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"the format asks for a number at {metric['Name']}")  # noqa: TRY004 - a wrong log line, not a wrong call
    resolution = metric.get("StorageResolution", 60)
    _hold(resolution in {1, 60}, "a resolution of 1 or 60 seconds")
    return Published(
        namespace, metric["Name"], dimensions, metric.get("Unit", "None"), resolution, value
    )


def _is_dimension(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= LONGEST_DIMENSION


def _hold(rule: bool, asked: str) -> None:  # noqa: FBT001 - reads as a sentence where it is called
    if not rule:
        raise ValueError(f"the format asks for {asked}")
