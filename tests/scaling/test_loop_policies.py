"""The closed loop's policies: how often they are invoked, and which of several wins."""

from __future__ import annotations

import itertools

from support.builders.alarms import an_alarm
from support.builders.fleets import a_fleet, a_group, a_policy
from support.fakes.worlds import MINUTE, FakeQueue, FakeWorld, Run

from tidemill.scaling.facts import DesiredChanged
from tidemill.scaling.metrics.queue import ACTIVE_SECONDS
from tidemill.scaling.spec import AdjustmentType, StepAdjustment


def test_an_alarm_that_stays_invokes_its_policy_every_minute() -> None:
    """A policy that could not act at first acts later."""
    policy = a_policy(warmup=0)
    run = Run(a_fleet((policy,), group=a_group(max_size=4)), FakeWorld(FakeQueue(), rate=0))
    run.queue.visible = 10
    run.go(10 * MINUTE)
    assert run.sizes() == [1, 2, 3, 4]
    at = [fact.at for fact in run.of_kind(DesiredChanged)]
    assert [later - earlier for earlier, later in itertools.pairwise(at)] == [60, 60, 60]


def test_the_policies_of_every_state_are_invoked_every_minute() -> None:
    """OKActions and InsufficientDataActions are repeated as AlarmActions are."""
    steps = (StepAdjustment(None, 0, -1), StepAdjustment(0, None, 1))
    policy = a_policy(steps=steps)
    alarm = an_alarm(
        threshold=5.0,
        evaluation_periods=1,
        datapoints_to_alarm=1,
        actions=(policy.logical_id,),
        ok_actions=(policy.logical_id,),
    )
    fleet = a_fleet((policy,), (alarm,), a_group(max_size=3))
    run = Run(fleet, FakeWorld(FakeQueue(), rate=0))
    run.queue.visible = 10
    run.go(10 * MINUTE)
    run.queue.visible = 1
    run.go(10 * MINUTE)
    assert run.sizes() == [1, 2, 3, 2, 1, 0]
    assert [fact.state for fact in run.of_kind(DesiredChanged)] == ["ALARM"] * 3 + ["OK"] * 3


def test_a_policy_without_a_value_does_nothing() -> None:
    """An alarm without data triggers it in INSUFFICIENT_DATA, and there is nothing to compare."""
    alarm = an_alarm(insufficient_data_actions=("OutPolicy",))
    run = Run(a_fleet(alarms=(alarm,)), FakeWorld(FakeQueue(), rate=0))
    run.go(30 * MINUTE + ACTIVE_SECONDS, every=10)
    run.go(30 * MINUTE)
    assert run.sizes() == []
    assert run.held() == ["the alarm's value is in no step"]


def test_of_several_policies_the_largest_capacity_wins() -> None:
    """All of them run in the same minute."""
    exact = [
        a_policy(
            logical_id=name,
            adjustment_type=AdjustmentType.EXACT,
            steps=(StepAdjustment(0, None, size),),
        )
        for name, size in (("Two", 2), ("Three", 3), ("One", 1))
    ]
    alarm = an_alarm(
        threshold=0.0,
        evaluation_periods=1,
        datapoints_to_alarm=1,
        actions=tuple(policy.logical_id for policy in exact),
    )
    run = Run(a_fleet(tuple(exact), (alarm,)), FakeWorld(FakeQueue(), rate=0))
    run.queue.visible = 10
    run.go(2 * MINUTE)
    assert run.sizes()[0] == 3
