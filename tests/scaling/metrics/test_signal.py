"""The signal that a function of the template publishes."""

from __future__ import annotations

from tidemill.scaling.metrics.queue import QueueSample
from tidemill.scaling.metrics.signal import signal_datapoints


def test_the_signal_has_the_whole_backlog_and_the_desired_capacity() -> None:
    """The backlog is visible + in flight; delayed messages do not count."""
    points = list(signal_datapoints("jobs", QueueSample(5, 3, 2), 4, 60.0))
    assert [(p.metric.namespace, p.metric.name, p.values.maximum) for p in points] == [
        ("Tidemill", "Backlog", 8),
        ("Tidemill", "DesiredCapacity", 4),
    ]
    assert {(p.timestamp, p.metric.dimensions) for p in points} == {
        (60.0, (("QueueName", "jobs"),))
    }
