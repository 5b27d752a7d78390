"""A steady load: the capacity comes to rest and does not oscillate."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders.alarms import VISIBLE, actions_on, an_alarm
from support.builders.fleets import a_fleet, a_group, product_fleet
from support.fakes.worlds import MINUTE, FakeQueue, FakeWorld, Run

from tidemill.scaling.policies.tracking import tracking_alarms
from tidemill.scaling.spec import (
    AdjustmentType,
    Comparison,
    Fleet,
    Metric,
    MetricQuery,
    MetricStat,
    SimpleScalingPolicy,
    TargetTrackingPolicy,
)

TARGET = 50
SERVING = Metric(
    "AWS/AutoScaling", "GroupInServiceInstances", (("AutoScalingGroupName", "workers"),)
)
QUERIES = (
    MetricQuery("visible", MetricStat(VISIBLE, 60, "Sum")),
    MetricQuery("serving", MetricStat(SERVING, 60, "Average")),
    MetricQuery("each", expression="visible / serving"),
)
BACKLOGS = st.integers(0, 700)


def tracking(warmup: int) -> Fleet:
    """Return a group of 1 to 12 that tracks a backlog of 50 per instance."""
    policy = TargetTrackingPolicy("T", "t", TARGET, high="High", low="Low", warmup=warmup)
    alarms = tuple(tracking_alarms(policy, "workers", QUERIES, "each"))
    group = a_group(min_size=1, max_size=12, desired=1)
    return replace(a_fleet((), alarms, group), policies=(policy,))


def steps_after(run: Run, visible: int, minutes: int) -> list[int]:
    """Return the desired capacities that a load goes through that lasts so long."""
    run.queue.visible = visible
    before, known = run.desired, len(run.sizes())
    run.go(minutes * MINUTE, every=15)
    return [before, *run.sizes()[known:]]


def is_one_way(sizes: list[int]) -> bool:
    """Say whether sizes only rise, or only fall."""
    changes = [later - earlier for earlier, later in itertools.pairwise(sizes)]
    return all(change > 0 for change in changes) or all(change < 0 for change in changes)


@settings(max_examples=25)
@given(BACKLOGS, BACKLOGS)
def test_our_own_policies_go_one_way_to_what_is_needed(first: int, second: int) -> None:
    """Up to 8 the group has what the backlog needs, and 0 when the queue is empty long enough."""
    run = Run(
        product_fleet(MaxInstances="8", BacklogPerInstance="50"), FakeWorld(FakeQueue(), rate=0)
    )
    for backlog in (first, second):
        sizes = steps_after(run, backlog, 30)
        assert is_one_way(sizes)
        assert sizes[-1] == min(8, math.ceil(backlog / 50))


@settings(max_examples=25)
@given(BACKLOGS, BACKLOGS, st.sampled_from([0, 60, 300]))
def test_a_target_is_reached_from_one_side(first: int, second: int, warmup: int) -> None:
    """The capacity after scale-in does not cause a scale-out."""
    run = Run(tracking(warmup), FakeWorld(FakeQueue(), boot_seconds=45, rate=0))
    for backlog in (first, second):
        sizes = steps_after(run, backlog, 60)
        assert is_one_way(sizes)
        needed = max(1, min(12, math.ceil(backlog / TARGET)))
        assert sizes[-1] == needed or 0.7 * TARGET <= backlog / sizes[-1] <= TARGET


@settings(max_examples=15)
@given(BACKLOGS)
def test_plus_and_minus_one_rest_between_their_thresholds(backlog: int) -> None:
    """A load between the thresholds changes nothing; one beyond scales to the limit."""
    more = SimpleScalingPolicy("More", "more", AdjustmentType.CHANGE, 1, cooldown=60)
    fewer = SimpleScalingPolicy("Fewer", "fewer", AdjustmentType.CHANGE, -1, cooldown=60)
    high = an_alarm(logical_id="High", threshold=300.0, actions=("More",))
    low = replace(
        high,
        logical_id="Low",
        comparison=Comparison.LESS,
        threshold=100.0,
        actions=actions_on("Fewer"),
    )
    group = a_group(min_size=1, max_size=5, desired=3)
    fleet = replace(a_fleet((), (high, low), group), policies=(more, fewer))
    run = Run(fleet, FakeWorld(FakeQueue(), rate=0))
    sizes = steps_after(run, backlog, 40)
    wanted = [3, 4, 5] if backlog > 300 else [3, 2, 1] if backlog < 100 else [3]
    assert sizes == wanted
