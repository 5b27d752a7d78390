"""Message counts of a cycle, and the log line from which CloudWatch extracts their metrics.

The line is in CloudWatch's embedded metric format ("Specification: Embedded metric format"):
CloudWatch Logs turns it into metrics. Their only dimension is the queue's name. A dimension with
the instance id would create, and charge for, four custom metrics per instance; the id is a plain
property instead, by which Logs Insights can still group.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from typing import Any, Final

from shared.logs import timestamp

METRICS: Final = ("MessagesReceived", "MessagesProcessed", "MessagesFailed", "MessagesInvalid")


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of messages in one cycle; `deleted` may be less than `processed`."""

    received: int = 0
    processed: int = 0
    failed: int = 0
    invalid: int = 0
    deleted: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return the sums, field by field."""
        return Counts(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(Counts))
        )


class CycleCounter:
    """The counts of the current cycle, safe in any thread.

    During a shutdown the main thread counts, too, while a handler may still block the worker's.
    """

    def __init__(self) -> None:
        """Start at zero."""
        self._lock = threading.Lock()
        self._counts = Counts()

    def add(self, counts: Counts) -> None:
        """Add to the cycle's counts."""
        with self._lock:
            self._counts += counts

    def take(self) -> Counts:
        """Return the cycle's counts and start again at zero."""
        with self._lock:
            counts, self._counts = self._counts, Counts()
            return counts


@dataclass(frozen=True, slots=True)
class MetricLabels:
    """Names under which the counts are published: namespace and queue; the id is a property."""

    namespace: str
    queue_name: str
    instance_id: str


def cycle_line(labels: MetricLabels, counts: Counts, seconds: float, now: float) -> dict[str, Any]:
    """Return the fields of the line for a cycle that took `seconds` and ended at epoch `now`."""
    values = (counts.received, counts.processed, counts.failed, counts.invalid)
    return {
        "_aws": {
            "Timestamp": int(now * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": labels.namespace,
                    "Dimensions": [["QueueName"]],
                    "Metrics": [{"Name": name, "Unit": "Count"} for name in METRICS],
                }
            ],
        },
        "time": timestamp(now),
        "level": "INFO",
        "event": "cycle",
        "QueueName": labels.queue_name,
        "instance_id": labels.instance_id,
        **dict(zip(METRICS, values, strict=True)),
        "deleted": counts.deleted,
        "duration_seconds": round(seconds, 3),
    }
