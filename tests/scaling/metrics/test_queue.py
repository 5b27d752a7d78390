"""Queue metrics: what SQS publishes of a queue, and when it publishes nothing."""

from __future__ import annotations

import pytest

from tidemill.scaling.metrics.queue import (
    ACTIVE_SECONDS,
    AGE,
    QueueActivity,
    QueueSample,
    observe,
    queue_datapoints,
)
from tidemill.scaling.times.catalogue import USUAL

NOW = 1_750_000_020.0
WAKE_UP = USUAL.wake_up.mean
EMPTY = QueueSample(0, 0)
AWAKE = QueueActivity.of_new_queue(NOW, WAKE_UP)


def published(activity: QueueActivity, sample: QueueSample, now: float = NOW) -> dict[str, float]:
    """Return what is published of a queue, by the metrics' short names."""
    points = list(queue_datapoints("jobs", activity, sample, now - 60, now))
    assert {point.metric.dimensions for point in points} <= {(("QueueName", "jobs"),)}
    assert {point.timestamp for point in points} <= {now - 60}
    return {
        point.metric.name.removeprefix("ApproximateNumberOfMessages"): point.values.maximum
        for point in points
    }


@pytest.mark.parametrize(
    ("sample", "values"),
    [
        pytest.param(EMPTY, {"Visible": 0}, id="empty"),
        pytest.param(QueueSample(5, 0), {"Visible": 5}, id="waiting"),
        pytest.param(QueueSample(0, 3), {"Visible": 0, "NotVisible": 3}, id="in-flight"),
        pytest.param(QueueSample(1, 0, 2), {"Visible": 1, "Delayed": 2}, id="delayed"),
        pytest.param(
            QueueSample(1, 0, oldest_age=0), {"Visible": 1, AGE: 0}, id="age-of-a-new-message"
        ),
        pytest.param(
            QueueSample(0, 2, oldest_age=90), {"Visible": 0, "NotVisible": 2, AGE: 90}, id="age"
        ),
    ],
)
def test_an_active_queue_publishes_what_there_is(
    sample: QueueSample, values: dict[str, float]
) -> None:
    """Visible messages are always counted, the others only above 0; an age may be 0."""
    assert published(AWAKE, sample) == values


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(QueueSample(1, 0), id="a-message-waits"),
        pytest.param(QueueSample(0, 1), id="a-message-is-in-flight"),
        pytest.param(QueueSample(0, 0, 1), id="a-message-is-delayed"),
        pytest.param(QueueSample(0, 0, accessed=True), id="somebody-polls"),
    ],
)
def test_use_keeps_a_queue_awake(sample: QueueSample) -> None:
    """The queue is active for six hours from each use."""
    late = NOW + ACTIVE_SECONDS
    activity = observe(AWAKE, sample, late)
    assert published(activity, EMPTY, late + ACTIVE_SECONDS) == {"Visible": 0}


def test_a_queue_that_nobody_uses_falls_asleep_and_publishes_nothing() -> None:
    """After six hours it has no datapoints, not even zeros."""
    last = NOW + ACTIVE_SECONDS
    assert observe(AWAKE, EMPTY, last) == AWAKE
    assert published(AWAKE, EMPTY, last) == {"Visible": 0}
    assert published(AWAKE, EMPTY, last + 1) == {}


def test_a_queue_that_is_kept_awake_never_falls_asleep() -> None:
    """It stays active without any other use, and whatever it contained before."""
    activity = QueueActivity.of_new_queue(NOW, WAKE_UP, kept_awake=True)
    activity = observe(activity, QueueSample(1, 0), NOW + 60)
    assert published(activity, EMPTY, NOW + 9 * ACTIVE_SECONDS) == {"Visible": 0}


def test_a_queue_that_wakes_up_publishes_late() -> None:
    """It publishes after 15 minutes, regardless of further use."""
    woken = NOW + ACTIVE_SECONDS + 1
    sample = QueueSample(9, 0)
    activity = observe(AWAKE, sample, woken)
    activity = observe(activity, sample, woken + 60)
    assert published(activity, sample, woken + WAKE_UP - 1) == {}
    assert published(activity, sample, woken + WAKE_UP) == {"Visible": 9}
