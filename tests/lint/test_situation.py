"""Situations: values of metrics and alarms, and the delay of a scale-out from 0."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.alarms import IN_FLIGHT, VISIBLE, an_alarm
from support.builders.fleets import a_fleet, a_group, product_fleet

from tidemill.lint.situation import SENT, Situation, seconds_to_wake, steady_state, value_in
from tidemill.scaling.metrics.queue import queue_metric
from tidemill.scaling.metrics.signal import BACKLOG, DESIRED_CAPACITY, signal_metric
from tidemill.scaling.spec import Alarm, Comparison, Metric, MetricQuery, MetricStat, MissingData

OLDEST = queue_metric("jobs", "ApproximateAgeOfOldestMessage")
SITUATION = Situation(2, {VISIBLE: 7.0, IN_FLIGHT: 3.0})
ONCE = {"evaluation_periods": 1, "datapoints_to_alarm": 1}


def of_group(name: str) -> Metric:
    """Return a metric of the group."""
    return Metric("AWS/AutoScaling", name, (("AutoScalingGroupName", "workers"),))


def on(metric: Metric, stat: str = "Maximum", period: int = 60, threshold: float = 0.0) -> Alarm:
    """Return an alarm that adds an instance above a threshold of a metric, once."""
    queries = (MetricQuery("m", MetricStat(metric, period, stat)),)
    return an_alarm(
        queries=queries,
        returned="m",
        period=period,
        threshold=threshold,
        actions=("OutPolicy",),
        **ONCE,
    )


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (VISIBLE, 7),
        (IN_FLIGHT, 3),
        (queue_metric("others", VISIBLE.name), 0),
        (queue_metric("others", IN_FLIGHT.name), None),
        (signal_metric("jobs", BACKLOG), 10),
        (signal_metric("jobs", DESIRED_CAPACITY), 2),
        (of_group("GroupDesiredCapacity"), 2),
        (of_group("GroupPendingInstances"), None),
        (Metric("Jobs", "Anything"), 0),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_metric_has_the_value_that_the_world_gives_it(metric: Metric, value: object) -> None:
    """A metric that is not published has no value."""
    assert SITUATION.seen(a_fleet(), metric) == value


def test_only_a_message_has_an_age() -> None:
    """An empty queue publishes no age of its oldest message."""
    assert Situation(0, {OLDEST: 60.0}).seen(a_fleet(), OLDEST) is None
    assert Situation(0, {OLDEST: 60.0, IN_FLIGHT: 1.0}).seen(a_fleet(), OLDEST) == 60


@pytest.mark.parametrize(
    ("name", "value"), [("GroupMaxSize", 10), ("GroupMinSize", 0), ("GroupPendingInstances", 0)]
)
def test_group_metrics_that_are_on_follow_the_group(name: str, value: int) -> None:
    """A steady group has no pending and no terminating instances."""
    fleet = a_fleet(group=a_group(metrics=frozenset({name})))
    assert SITUATION.seen(fleet, of_group(name)) == value


@pytest.mark.parametrize(
    ("stat", "period", "value"),
    [("Average", 60, 7), ("Maximum", 300, 7), ("Sum", 300, 35), ("SampleCount", 300, 5)],
)
def test_a_statistic_is_taken_over_the_datapoints_of_a_period(
    stat: str, period: int, value: float
) -> None:
    """SQS publishes one datapoint a minute."""
    assert value_in(a_fleet(), on(VISIBLE, stat, period), SITUATION) == value


@pytest.mark.parametrize(
    ("treatment", "state"),
    [
        (MissingData.BREACHING, "ALARM"),
        (MissingData.NOT_BREACHING, "OK"),
        (MissingData.MISSING, "INSUFFICIENT_DATA"),
        (MissingData.IGNORE, "INSUFFICIENT_DATA"),
    ],
    ids=str,
)
def test_without_any_value_the_treatment_decides(treatment: MissingData, state: str) -> None:
    """An alarm that ignores missing data stays as it was created."""
    assert steady_state(an_alarm(missing_data=treatment), None) == state


@pytest.mark.parametrize(
    ("alarm", "seconds"),
    [
        (on(VISIBLE), 60),
        (on(VISIBLE, "Maximum", 300), 60),
        (on(VISIBLE, "Average", 300, threshold=0.5), 180),
        (on(VISIBLE, "Sum", 300, threshold=3), 240),
        (on(VISIBLE, threshold=1), None),
        (replace(on(VISIBLE), evaluation_periods=5, datapoints_to_alarm=5), 300),
        (on(IN_FLIGHT), None),
        (on(OLDEST, threshold=600), 660),
        (on(OLDEST, threshold=1e18), None),
        (on(queue_metric("jobs", SENT)), 60),
        (on(queue_metric("others", VISIBLE.name)), None),
        (on(signal_metric("jobs", BACKLOG), period=10), 10),
        (replace(on(VISIBLE), comparison=Comparison.LESS, threshold=1), None),
    ],
    ids=[
        "1 of 1",
        "maximum of 5 minutes",
        "average of 5 minutes",
        "sum of 5 minutes",
        "threshold",
        "5 of 5",
        "in flight",
        "age",
        "an age that no message has",
        "sent",
        "another queue",
        "signal",
        "the other way round",
    ],
)
def test_one_message_wakes_a_fleet_after_its_alarms_window(
    alarm: Alarm, seconds: float | None
) -> None:
    """The result is None where the alarm never scales out."""
    assert seconds_to_wake(a_fleet(), alarm, "jobs") == seconds


def test_the_product_wakes_within_a_datapoint() -> None:
    """One datapoint of SQS, or of the fast signal, is enough."""
    fleet = product_fleet(FastSignal="true")
    seconds = {
        alarm.logical_id: seconds_to_wake(fleet, alarm, fleet.queue.name) for alarm in fleet.alarms
    }
    assert seconds == {"BacklogAlarm": 60, "BacklogRisingAlarm": 10, "EmptyQueueAlarm": None}
