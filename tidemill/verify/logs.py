"""Lines of the consumers and of the instances' boot logs, from CloudWatch Logs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.verify.bench import Bench

WORKERS, HOSTS = "WorkerLogGroup", "HostLogGroup"
"""Logical ids of the template's log groups."""

LOG_GROUP = "AWS::Logs::LogGroup"
BEFORE = 60
"""Seconds before the moment of interest from which events are read: clocks may differ."""


def worker_lines(bench: Bench, instance: str | None, since: float) -> list[dict[str, Any]]:
    """Return the consumers' lines since a moment, the oldest first; `at` is each one's time.

    Args:
        bench: the means.
        instance: only those of this instance, of all instances with None.
        since: the moment in epoch seconds.
    """
    lines = []
    for event in _events(bench, WORKERS, since):
        try:
            line = json.loads(event["message"])
            line["at"] = datetime.fromisoformat(line["time"]).timestamp()
        except (KeyError, TypeError, ValueError):
            continue  # not a line of the consumer's own
        if instance is None or line.get("instance_id") == instance:
            lines.append(line)
    return sorted(lines, key=lambda line: line["at"])


def host_log(bench: Bench, instance: str, since: float) -> Iterator[str]:
    """Yield the lines of an instance's boot log."""
    stream = f"{instance}/boot"
    for event in _events(bench, HOSTS, since):
        if event.get("logStreamName") == stream:
            yield from str(event["message"]).splitlines()


def _events(bench: Bench, logical_id: str, since: float) -> list[dict[str, Any]]:
    group = bench.target.physical_of(LOG_GROUP).get(logical_id)
    if group is None:
        return []
    answer = bench.ask(
        "logs:FilterLogEvents", logGroupName=group, startTime=int((since - BEFORE) * 1000)
    )
    events: list[dict[str, Any]] = (answer or {}).get("events", [])
    return events
