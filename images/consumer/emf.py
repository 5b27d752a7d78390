"""A cycle's counts as one line in CloudWatch's embedded metric format, by its specification.

CloudWatch Logs turns the line into metrics. Its only dimension is the queue's name: a dimension
with the instance's id would make, and charge for, four custom metrics an instance; the id is a
plain property instead, which Logs Insights can still group by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from shared.logs import timestamp

METRICS: Final = ("MessagesReceived", "MessagesProcessed", "MessagesFailed", "MessagesInvalid")


@dataclass(frozen=True, slots=True)
class Counts:
    """What one cycle did, in messages; `deleted` may be less than `processed`."""

    received: int = 0
    processed: int = 0
    failed: int = 0
    invalid: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """Who counts: `namespace` and `queue_name` identify the metrics."""

    namespace: str
    queue_name: str
    instance_id: str


def cycle_line(source: Source, counts: Counts, seconds: float, now: float) -> dict[str, Any]:
    """Return the fields of the line for a cycle that took `seconds` and ended at epoch `now`."""
    values = (counts.received, counts.processed, counts.failed, counts.invalid)
    return {
        "_aws": {
            "Timestamp": int(now * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": source.namespace,
                    "Dimensions": [["QueueName"]],
                    "Metrics": [{"Name": name, "Unit": "Count"} for name in METRICS],
                }
            ],
        },
        "time": timestamp(now),
        "level": "INFO",
        "event": "cycle",
        "QueueName": source.queue_name,
        "instance_id": source.instance_id,
        **dict(zip(METRICS, values, strict=True)),
        "deleted": counts.deleted,
        "duration_seconds": round(seconds, 3),
    }
