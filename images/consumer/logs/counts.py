"""Message counts of a cycle, and the log line from which CloudWatch extracts their metrics.

The line is in CloudWatch's embedded metric format ("Specification: Embedded metric format"):
CloudWatch Logs turns it into metrics. Their only dimension is the queue's name. A dimension with
the instance id would create, and charge for, four custom metrics per instance; the id is a plain
property instead, by which Logs Insights can still group.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from shared.logs import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES_DROPPED: Final = "LogLinesDropped"
"""Metric of the lines that are missing in CloudWatch Logs; it is published only if some are."""

METRICS: Final = ("MessagesReceived", "MessagesProcessed", "MessagesFailed", "MessagesInvalid")

RARE: Final = ("rejected", "retried", "duplicates")
"""Counts that the line has only if they are not zero."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of messages in one cycle.

    Attributes:
        received: received, from whichever cycle the others are.
        processed: handled with success.
        failed: not handled with success: the handler failed, was too slow, or ended its process.
        invalid: not what the handler takes.
        deleted: deleted from the queue; processed ones that SQS did not delete are not among them.
        returned: returned to the queue without having been handled, although received.
        rejected: rejected by the handler, on their way to the dead letters.
        retried: to be received again because the handler wants it so.
        duplicates: done before, and so not handled again.
    """

    received: int = 0
    processed: int = 0
    failed: int = 0
    invalid: int = 0
    deleted: int = 0
    returned: int = 0
    rejected: int = 0
    retried: int = 0
    duplicates: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Return the sums, field by field."""
        return Counts(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(Counts))
        )


@dataclass(frozen=True, slots=True)
class MetricLabels:
    """Names under which the counts are published: namespace and queue; the id is a property."""

    namespace: str
    queue_name: str
    instance_id: str


def cycle_line(
    labels: MetricLabels, counts: Counts, seconds: float, now: float, lines_dropped: int = 0
) -> dict[str, Any]:
    """Return the fields of the line for a cycle that took `seconds` and ended at epoch `now`.

    `lines_dropped` is no metric here: this line may be dropped as well.
    """
    values = (counts.received, counts.processed, counts.failed, counts.invalid)
    return {
        "_aws": _directive(labels, METRICS, now),
        "time": timestamp(now),
        "level": "INFO",
        "event": "cycle",
        "QueueName": labels.queue_name,
        "instance_id": labels.instance_id,
        **dict(zip(METRICS, values, strict=True)),
        "deleted": counts.deleted,
        "returned": counts.returned,
        **{name: getattr(counts, name) for name in RARE if getattr(counts, name)},
        **({"log_lines_dropped": lines_dropped} if lines_dropped else {}),
        "duration_seconds": round(seconds, 3),
    }


def missing_line(labels: MetricLabels, count: int, now: float) -> dict[str, Any]:
    """Return the fields of the line that stands where `count` lines are missing."""
    return {
        "_aws": _directive(labels, [LINES_DROPPED], now),
        "time": timestamp(now),
        "level": "WARNING",
        "event": "log lines dropped",
        "QueueName": labels.queue_name,
        "instance_id": labels.instance_id,
        LINES_DROPPED: count,
    }


def _directive(labels: MetricLabels, metrics: Sequence[str], now: float) -> dict[str, Any]:
    """Return what tells CloudWatch which fields of the line are metrics."""
    return {
        "Timestamp": int(now * 1000),
        "CloudWatchMetrics": [
            {
                "Namespace": labels.namespace,
                "Dimensions": [["QueueName"]],
                "Metrics": [{"Name": name, "Unit": "Count"} for name in metrics],
            }
        ],
    }
