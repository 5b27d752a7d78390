"""Fast signal: metrics of the template's function that samples the queue every few seconds.

The names are those under which the function in template.yaml publishes (its EMF lines).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.metrics.statistics import StatisticSet
from tidemill.scaling.metrics.store import Datapoint
from tidemill.scaling.spec import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.metrics.queue import QueueSample

BACKLOG = "Backlog"
DESIRED_CAPACITY = "DesiredCapacity"


def signal_metric(queue: str, name: str) -> Metric:
    """Return a metric of the signal for this queue."""
    return Metric("Tidemill", name, (("QueueName", queue),))


def signal_datapoints(
    queue: str, sample: QueueSample, desired: int, start: float
) -> Iterator[Datapoint]:
    """Yield what the function publishes for the period that began at `start`.

    The backlog is visible messages + messages in flight: 7 visible and 3 in flight make 10.
    """
    for name, value in ((BACKLOG, sample.visible + sample.in_flight), (DESIRED_CAPACITY, desired)):
        yield Datapoint(signal_metric(queue, name), start, StatisticSet.of(value))
