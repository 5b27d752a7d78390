"""Queue metrics: the datapoints that SQS publishes for an active or inactive queue.

Source: SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS" and "Monitoring Amazon
SQS queues using CloudWatch".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tidemill.scaling.metrics.statistics import StatisticSet
from tidemill.scaling.metrics.store import Datapoint
from tidemill.scaling.spec import Metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VISIBLE = "ApproximateNumberOfMessagesVisible"
NOT_VISIBLE = "ApproximateNumberOfMessagesNotVisible"
DELAYED = "ApproximateNumberOfMessagesDelayed"
AGE = "ApproximateAgeOfOldestMessage"

PUBLISHED = (VISIBLE, NOT_VISIBLE, DELAYED, AGE)
"""The metrics of a queue that are modelled."""

UNCOUNTED_RECEIVES = 3
"""A message of a standard queue that was received so often, and not deleted, is moved to the back
of the queue and does not count in the age of the oldest message. It counts again, from the time of
its move, in a dead-letter queue."""

COUNT, SECONDS, BYTES = "Count", "Seconds", "Bytes"
UNITS: Final[Mapping[str, str]] = {
    VISIBLE: COUNT,
    NOT_VISIBLE: COUNT,
    DELAYED: COUNT,
    AGE: SECONDS,
    "ApproximateNumberOfGroupsWithInflightMessages": COUNT,
    "NumberOfDeduplicatedSentMessages": COUNT,
    "NumberOfEmptyReceives": COUNT,
    "NumberOfMessagesDeleted": COUNT,
    "NumberOfMessagesReceived": COUNT,
    "NumberOfMessagesSent": COUNT,
    "SentMessageSize": BYTES,
}
"""The metrics of a queue that SQS publishes, with their units."""

PERIOD = 60
"""Seconds between two datapoints of an active queue."""

ACTIVE_SECONDS = 6 * 3600
"""A queue stays active for this time after it last contained a message or was accessed."""


@dataclass(frozen=True, slots=True)
class QueueSample:
    """A queue at one moment; `accessed` is set if it was used since the previous sample.

    `oldest_age` is the age of the oldest message that is not deleted, in seconds. It is None if
    there is no message that counts, or if the age is not known.
    """

    visible: int
    in_flight: int
    delayed: int = 0
    accessed: bool = False
    oldest_age: float | None = None


@dataclass(frozen=True, slots=True)
class QueueActivity:
    """The activity of a queue: when it becomes inactive, and when its metrics start.

    `wake_up` is the delay in seconds until an inactive queue publishes again after its next use.
    """

    active_until: float
    publishes_from: float
    wake_up: float

    @staticmethod
    def of_new_queue(now: float, wake_up: float, *, kept_awake: bool = False) -> QueueActivity:
        """Return the activity of a queue that was created at `now`; its creation is an access."""
        return QueueActivity(float("inf") if kept_awake else now + ACTIVE_SECONDS, now, wake_up)


def observe(activity: QueueActivity, sample: QueueSample, now: float) -> QueueActivity:
    """Return the activity after a sample.

    A queue with messages or an access stays active. An inactive one publishes again some time after
    its next message or access, here the longest that AWS names: 15 minutes.
    """
    if not (sample.accessed or sample.visible or sample.in_flight or sample.delayed):
        return activity
    if now > activity.active_until:
        return QueueActivity(now + ACTIVE_SECONDS, now + activity.wake_up, activity.wake_up)
    until = max(activity.active_until, now + ACTIVE_SECONDS)
    return QueueActivity(until, activity.publishes_from, activity.wake_up)


def queue_metric(queue: str, name: str) -> Metric:
    """Return a metric of the queue with this name."""
    return Metric("AWS/SQS", name, (("QueueName", queue),))


def queue_datapoints(
    queue: str, activity: QueueActivity, sample: QueueSample, minute: float, now: float
) -> Iterator[Datapoint]:
    """Yield what SQS publishes for the minute that began at `minute`.

    An inactive queue has no datapoints at all, not even zeros. An active one always has a count of
    visible messages; the counts of messages in flight and delayed exist only above 0, the age of
    the oldest message only while a message counts.
    """
    if now > activity.active_until or now < activity.publishes_from:
        return
    for name, value, always in (
        (VISIBLE, sample.visible, True),
        (NOT_VISIBLE, sample.in_flight, False),
        (DELAYED, sample.delayed, False),
    ):
        if always or value:
            yield Datapoint(queue_metric(queue, name), minute, StatisticSet.of(value), COUNT)
    if sample.oldest_age is not None:
        age = StatisticSet.of(sample.oldest_age)
        yield Datapoint(queue_metric(queue, AGE), minute, age, SECONDS)
