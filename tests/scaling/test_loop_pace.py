"""The loop at any pace of turns, with alarms of any period."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders.alarms import VISIBLE, actions_on, an_alarm
from support.builders.fleets import a_fleet, a_group, a_policy, product_fleet
from support.fakes.worlds import MINUTE, START, FakeQueue, FakeWorld, Run

from tidemill.scaling.facts import AlarmChanged, to_record
from tidemill.scaling.group.hooks import ABANDON, LAUNCHING
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.loop import Booted, HookCompleted, Observation, Vanished, begin, turn
from tidemill.scaling.metrics.queue import QueueSample
from tidemill.scaling.metrics.signal import BACKLOG, signal_metric
from tidemill.scaling.policies.tracking import tracking_alarms
from tidemill.scaling.spec import (
    AdjustmentType,
    LifecycleHook,
    MetricQuery,
    MetricStat,
    ScheduledAction,
    SimpleScalingPolicy,
    TargetTrackingPolicy,
    WarmPool,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tidemill.scaling.facts import Fact
    from tidemill.scaling.loop import InstanceEvent
    from tidemill.scaling.spec import Fleet

HOUR = 3600
BOOTING = {LifecycleState.PENDING, LifecycleState.WARMED_PENDING}
ENDING = {LifecycleState.TERMINATING_PROCEED, LifecycleState.WARMED_TERMINATING_PROCEED}
HELD = {
    LifecycleState.PENDING_WAIT,
    LifecycleState.TERMINATING_WAIT,
    LifecycleState.WARMED_PENDING_WAIT,
    LifecycleState.WARMED_TERMINATING_WAIT,
}


def facts_of(fleet: Fleet, minutes: list[tuple[int, int]], seconds: Iterable[int]) -> list[Fact]:
    """Return the facts of a run with turns at these seconds of every minute, 0 among them.

    The queue and the instances change at minute boundaries: an order of one minute is carried out
    when the next minute begins.
    """
    memory = begin(fleet, START)
    facts: list[Fact] = []
    for number, (visible, in_flight) in enumerate(minutes, start=1):
        events: list[InstanceEvent] = []
        for instance in memory.group.instances:
            if instance.state in BOOTING:
                events.append(Booted(instance.id))
            elif instance.state in HELD:
                events.append(HookCompleted(instance.id))
            elif instance.state in ENDING:
                events.append(Vanished(instance.id))
        for second in seconds:
            sample = QueueSample(visible, in_flight)
            taken = turn(
                fleet, memory, Observation(sample, tuple(events)), START + number * MINUTE + second
            )
            memory, events = taken.memory, []
            facts.extend(taken.facts)
    return facts


def by_minute(facts: list[Fact]) -> Counter[str]:
    """Return the facts with their times cut to minutes, and without texts that hold a time."""
    kept = []
    for fact in facts:
        record = to_record(fact)
        record = {
            key: value.partition(" until ")[0] if key == "why" and isinstance(value, str) else value
            for key, value in record.items()
            if key not in {"time", "cause", "reason"}
        }
        kept.append(str(record | {"at": fact.at // MINUTE}))
    return Counter(kept)


LOADS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)), min_size=1, max_size=25)
SECONDS = st.sets(st.integers(1, 59), max_size=6).map(lambda some: sorted({0, *some}))


@settings(max_examples=60)
@given(LOADS, SECONDS)
def test_the_facts_are_the_same_at_any_pace(
    minutes: list[tuple[int, int]], seconds: list[int]
) -> None:
    """Turns beyond one at each minute's begin and one after the evaluation change no fact."""
    fleet = product_fleet(HoldSeconds="120")
    slow = facts_of(fleet, minutes, (0, 10))
    assert by_minute(facts_of(fleet, minutes, sorted({*seconds, 10}))) == by_minute(slow)


def a_fleet_of_every_kind(pool: WarmPool | None, hooks: set[str]) -> Fleet:
    """Return a group of 1 to 8 that a target, a simple policy and a schedule move."""
    track = TargetTrackingPolicy("Track", "track", 40.0, high="High", low="Low", warmup=60)
    more = SimpleScalingPolicy("More", "more", AdjustmentType.CHANGE, 2, cooldown=120)
    noon = ScheduledAction("Noon", "noon", min_size=2, desired=5, recurrence="*/9 * * * *")
    late = ScheduledAction("Late", "late", min_size=1, recurrence="*/11 * * * *")
    queries = (MetricQuery("m1", MetricStat(VISIBLE, 60, "Sum")),)
    many = an_alarm(logical_id="Many", threshold=90.0, evaluation_periods=1, datapoints_to_alarm=1)
    held = tuple(LifecycleHook(way, way, 120, ABANDON) for way in sorted(hooks))
    return replace(
        a_fleet(
            (),
            (
                replace(many, actions=actions_on("More")),
                *tracking_alarms(track, "workers", queries, "m1"),
            ),
            a_group(min_size=1, max_size=8, hooks=held, warm_pool=pool),
        ),
        policies=(more, track),
        scheduled=(noon, late),
    )


POOLS = st.sampled_from([None, WarmPool(max_prepared=4), WarmPool(min_size=1, state="Running")])
HOOKS = st.sets(st.sampled_from([LAUNCHING, "autoscaling:EC2_INSTANCE_TERMINATING"]))


@settings(max_examples=100)
@given(LOADS, SECONDS, POOLS, HOOKS)
def test_the_facts_of_every_kind_of_policy_are_the_same_at_any_pace(
    minutes: list[tuple[int, int]], seconds: list[int], pool: WarmPool | None, hooks: set[str]
) -> None:
    """Targets, cooldowns, schedules, hooks and a warm pool work together here."""
    fleet = a_fleet_of_every_kind(pool, hooks)
    slow = facts_of(fleet, minutes, (0, 10))
    assert by_minute(facts_of(fleet, minutes, sorted({*seconds, 10}))) == by_minute(slow)


@pytest.mark.parametrize("every", [1, 5, 7, 30, 45, 60, 75])
def test_an_alarm_that_stays_acts_once_a_minute_at_any_pace(every: int) -> None:
    """Rare turns at odd times lose no more than the minutes without a turn."""
    policy = a_policy(warmup=0)
    run = Run(
        a_fleet((policy,), group=a_group(max_size=100)),
        FakeWorld(FakeQueue(), boot_seconds=0, rate=0),
    )
    run.queue.visible = 10
    run.go(15 * MINUTE, every=every)
    minutes = [(at - 6) // MINUTE for at in run.changed_at()]
    assert len(set(minutes)) == len(minutes)
    assert len(minutes) == pytest.approx(15 * MINUTE / max(every, MINUTE) - 1, abs=1)


def test_an_alarm_of_ten_seconds_acts_once_a_minute() -> None:
    """It is evaluated six times as often, and first acts within seconds."""
    stat = MetricStat(signal_metric("jobs", BACKLOG), 10, "Maximum")
    alarm = an_alarm(
        queries=(MetricQuery("backlog", stat),),
        returned="backlog",
        threshold=0.0,
        period=10,
        evaluation_periods=1,
        datapoints_to_alarm=1,
        actions=("OutPolicy",),
    )
    fleet = a_fleet((a_policy(warmup=0),), (alarm,), a_group(max_size=100))
    run = Run(replace(fleet, signal_period=10), FakeWorld(FakeQueue(), boot_seconds=0, rate=0))
    run.queue.visible = 10
    run.go(5 * MINUTE)
    assert run.changed_at() == [16, 76, 136, 196, 256]


def test_an_alarm_that_is_evaluated_once_an_hour_acts_once_a_minute() -> None:
    """Its window of 48 hours is longer than a day."""
    stat = MetricStat(VISIBLE, HOUR, "Maximum")
    alarm = an_alarm(
        queries=(MetricQuery("visible", stat),),
        threshold=0.0,
        period=HOUR,
        evaluation_periods=25,
        datapoints_to_alarm=1,
        actions=("OutPolicy",),
    )
    fleet = a_fleet((a_policy(warmup=0),), (alarm,), a_group(max_size=3))
    run = Run(fleet, FakeWorld(FakeQueue(), boot_seconds=0, rate=0))
    run.queue.visible = 10
    run.go(28 * HOUR, every=30)
    first, *_ = run.changed_at()
    changed = [fact.at for fact in run.of_kind(AlarmChanged)]
    assert [at % HOUR // MINUTE for at in changed] == [0]
    assert [at - first for at in run.changed_at()] == [0, 60, 120]


def test_memory_does_not_grow_with_time() -> None:
    """Datapoints that no alarm needs are dropped."""
    fleet = product_fleet(HoldSeconds="120")
    run = Run(fleet, FakeWorld(FakeQueue(), rate=0))
    run.queue.visible = 500
    run.go(2 * HOUR, every=30)
    kept = {metric: len(points) for metric, points in run.memory.metrics.kept.items()}
    run.go(2 * HOUR, every=30)
    assert {metric: len(p) for metric, p in run.memory.metrics.kept.items()} == kept
