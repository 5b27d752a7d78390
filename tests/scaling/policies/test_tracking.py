"""Target tracking: the alarms of a policy, its outcomes, and its agreement with others."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.alarms import VISIBLE, an_alarm
from support.builders.fleets import a_fleet, a_group
from support.fakes.worlds import MINUTE, FakeQueue, FakeWorld, Run

from tidemill.scaling.alarms.watching import DueAlarm
from tidemill.scaling.group.capacity import Capacity
from tidemill.scaling.policies.tracking import (
    agree_on_scale_in,
    tracked_in,
    tracked_out,
    tracking_alarms,
)
from tidemill.scaling.spec import (
    Comparison,
    Fleet,
    Limits,
    MetricQuery,
    MetricStat,
    PolicyAction,
    TargetTrackingPolicy,
)

POLICY = TargetTrackingPolicy("Track", "track", 100.0, high="High", low="Low", warmup=0)
PLAIN = (MetricQuery("m1", MetricStat(VISIBLE, 60, "Sum")),)
IN_SERVICE = replace(VISIBLE, namespace="AWS/AutoScaling", name="GroupInServiceInstances")
PER_INSTANCE = (
    MetricQuery("visible", MetricStat(VISIBLE, 60, "Sum")),
    MetricQuery(
        "serving",
        MetricStat(
            replace(IN_SERVICE, dimensions=(("AutoScalingGroupName", "workers"),)), 60, "Average"
        ),
    ),
    MetricQuery("each", expression="visible / serving"),
)


def tracking(
    queries: tuple[MetricQuery, ...] = PLAIN, returned: str = "m1", least: int = 0
) -> Fleet:
    """Return a fleet of `least` to 10 with a policy that tracks 100 of a metric."""
    alarms = tuple(tracking_alarms(POLICY, "workers", queries, returned))
    return replace(a_fleet((), alarms, a_group(min_size=least)), policies=(POLICY,))


def test_the_alarms_have_the_shape_that_people_have_observed() -> None:
    """High: above the target for 3 minutes. Low: below 70 % of it for 15."""
    high, low = tracking_alarms(POLICY, "workers", PLAIN, "m1")
    assert (high.comparison, high.threshold) == (Comparison.GREATER, 100)
    assert (high.evaluation_periods, high.datapoints_to_alarm) == (3, 3)
    assert (low.comparison, low.threshold) == (Comparison.LESS, 70)
    assert (low.evaluation_periods, low.datapoints_to_alarm) == (15, 15)
    assert {high.actions, low.actions} == {(PolicyAction("Track"),)}
    assert high.name.startswith("TargetTracking-workers-AlarmHigh-")
    assert low.name.startswith("TargetTracking-workers-AlarmLow-")


@pytest.mark.parametrize(
    ("period", "high", "low"),
    [
        pytest.param(10, 6, 90, id="ten-seconds"),
        pytest.param(30, 3, 30, id="half-a-minute"),
        pytest.param(60, 3, 15, id="a-minute"),
    ],
)
def test_high_resolution_shortens_the_way_out_and_not_the_way_in(
    period: int, high: int, low: int
) -> None:
    """Out after a minute with periods of 10 s, in after 15 minutes with any."""
    queries = (MetricQuery("m1", MetricStat(VISIBLE, period, "Sum")),)
    alarms = tuple(tracking_alarms(POLICY, "workers", queries, "m1"))
    assert [alarm.period for alarm in alarms] == [period, period]
    assert [alarm.evaluation_periods for alarm in alarms] == [high, low]
    assert [alarm.datapoints_to_alarm for alarm in alarms] == [high, low]


def test_without_scale_in_there_is_no_low_alarm() -> None:
    """DisableScaleIn removes the low alarm."""
    (high,) = tracking_alarms(replace(POLICY, low=None), "workers", PLAIN, "m1")
    assert high.logical_id == "High"


@pytest.mark.parametrize(
    ("capacity", "value", "after"),
    [
        pytest.param(Capacity(10, 10), 150, 15, id="the-guides-example"),
        pytest.param(Capacity(10, 10), 115, 12, id="1.5-more-are-2"),
        pytest.param(Capacity(10, 10), 101, 11, id="a-fraction-is-one"),
        pytest.param(Capacity(15, 10, warming=5), 150, None, id="what-warms-up-is-asked-already"),
        pytest.param(Capacity(15, 10, warming=5), 200, 20, id="more-than-what-warms-up"),
        pytest.param(Capacity(0, 0), 101, 1, id="from-none-to-one"),
        pytest.param(Capacity(20, 20), 101, None, id="at-the-most"),
    ],
)
def test_out_goes_in_proportion(capacity: Capacity, value: float, after: int | None) -> None:
    """The new capacity brings the metric down to its target."""
    assert tracked_out(POLICY, value, capacity, Limits(0, 20)).desired == after


@pytest.mark.parametrize(
    ("capacity", "value", "after"),
    [
        pytest.param(Capacity(10, 10), 95, None, id="half-an-instance-stays"),
        pytest.param(Capacity(10, 10), 85, 9, id="1.5-fewer-are-1"),
        pytest.param(Capacity(10, 10), 0, 2, id="to-the-least"),
        pytest.param(Capacity(10, 9, warming=1), 10, None, id="not-while-one-warms-up"),
        pytest.param(Capacity(9, 9, terminating=1), 90, None, id="terminating-ones-count"),
    ],
)
def test_in_keeps_the_fraction(capacity: Capacity, value: float, after: int | None) -> None:
    """The remaining instances do not exceed the target."""
    assert tracked_in(POLICY, value, capacity, Limits(2, 20)).desired == after


@given(current=st.integers(1, 500), value=st.integers(0, 10_000))
def test_what_is_asked_for_never_calls_for_the_opposite(current: int, value: int) -> None:
    """After the change the metric is neither above the target nor needlessly below it."""
    capacity = Capacity(current, current)
    side = tracked_out if value > 100 else tracked_in
    after = side(POLICY, value, capacity, Limits(0, 10**9)).desired
    total = current * value
    if after is not None:
        assert total <= after * 100 * (1 + 1e-9)
        assert after == math.ceil(round(total / 100, 9))


def test_all_policies_scale_in_together_or_none() -> None:
    """One policy that is not ready prevents scale-in; other kinds do not wait."""
    other = replace(POLICY, logical_id="Other", high="OtherHigh", low="OtherLow")
    fleet = replace(a_fleet(), policies=(POLICY, other))
    low, second = (DueAlarm(an_alarm(logical_id=key), 10.0, {}) for key in ("Low", "OtherLow"))
    step = DueAlarm(an_alarm(logical_id="Step"), 10.0, {})
    alone = agree_on_scale_in(fleet, [low, step], {"Low": low, "Step": step})
    assert [bool(due_alarm.held) for due_alarm in alone] == [True, False]
    assert agree_on_scale_in(fleet, [low], {"Low": low, "OtherLow": second}) == [low, second]
    only_out = replace(fleet, policies=(POLICY, replace(other, low=None)))
    assert agree_on_scale_in(only_out, [low], {"Low": low}) == [low]


def test_a_metric_of_real_zeros_takes_the_group_to_zero() -> None:
    """The minimum has to be 0; the metric of an empty queue that is in use is 0."""
    for least, after in ((0, 0), (1, 1)):
        run = Run(tracking(least=least), FakeWorld(FakeQueue(visible=250), rate=0))
        run.go(10 * MINUTE)
        assert run.desired == 10
        run.queue.visible = 0
        run.go(20 * MINUTE)
        assert run.desired == after


def test_without_datapoints_the_group_is_not_scaled() -> None:
    """Both alarms go to INSUFFICIENT_DATA, in which they run no policy."""
    run = Run(tracking(PER_INSTANCE, "each", least=1), FakeWorld(FakeQueue(visible=1000), rate=0))
    run.go(10 * MINUTE, every=5)
    before = run.desired
    blind = tuple(
        replace(
            alarm,
            queries=(MetricQuery("m1", MetricStat(replace(VISIBLE, name="None"), 60, "Sum")),),
            returned="m1",
        )
        for alarm in run.fleet.alarms
    )
    run.fleet = replace(run.fleet, alarms=blind)
    run.go(30 * MINUTE, every=5)
    assert run.alarm_states("High")[-1] == run.alarm_states("Low")[-1] == "INSUFFICIENT_DATA"
    assert run.desired == before


def test_a_metric_over_its_target_for_three_minutes_adds_instances() -> None:
    """A metric well below its target for fifteen minutes removes them."""
    run = Run(tracking(least=1), FakeWorld(FakeQueue(visible=250), rate=0))
    run.go(10 * MINUTE)
    assert (run.sizes()[0], run.desired) == (3, 10)
    run.queue.visible = 10
    run.go(14 * MINUTE)
    assert run.desired == 10
    run.go(3 * MINUTE)
    assert run.desired == 1


def test_a_quotient_by_instances_cannot_leave_zero() -> None:
    """Without an instance the alarm has no datapoint and never goes to ALARM."""
    run = Run(tracking(PER_INSTANCE, "each"), FakeWorld(FakeQueue(visible=5000), rate=0))
    run.go(60 * MINUTE, every=10)
    assert run.sizes() == []
    assert run.alarm_states("High") == []


def test_a_quotient_by_instances_follows_the_backlog_from_one_on() -> None:
    """1,000 messages at 100 an instance end at 10 instances."""
    run = Run(tracking(PER_INSTANCE, "each", least=1), FakeWorld(FakeQueue(visible=1000), rate=0))
    run.go(10 * MINUTE, every=5)
    assert run.sizes() == [10]
    assert run.alarm_states("High") == ["ALARM", "OK"]
