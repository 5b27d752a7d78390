"""The closed loop over a queue and instances in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders.fleets import DRAIN, product_fleet
from support.fakes.worlds import MINUTE, START, FakeQueue, FakeWorld, Run

from tidemill.scaling.alarms.alarm import evaluate
from tidemill.scaling.facts import (
    ActivityStarted,
    AlarmChanged,
    CapacitySampled,
    DesiredChanged,
    InstanceChanged,
    PolicyHeld,
)
from tidemill.scaling.loop import Vanished
from tidemill.scaling.metrics.queue import ACTIVE_SECONDS
from tidemill.scaling.metrics.store import MetricStore
from tidemill.scaling.times.catalogue import USUAL


def a_run(rate: int = 0, drain_seconds: float | None = 10, **parameters: str) -> Run:
    """Return a run of the product's fleet whose instances work off `rate` messages a second."""
    world = FakeWorld(FakeQueue(), rate=rate, drain_seconds=drain_seconds)
    return Run(product_fleet(**parameters), world)


def test_five_hundred_messages_raise_the_fleet_from_none_to_four_at_once() -> None:
    """There is one change, and four launches with the same cause."""
    run = a_run()
    run.queue.visible = 500
    run.go(3 * MINUTE)
    assert run.sizes() == [4]
    assert run.states() == ["InService"] * 4
    changed = run.of_kind(DesiredChanged)[0]
    assert (changed.value, changed.inputs) == (25, {"visible": 500})
    for number, activity in enumerate(run.of_kind(ActivityStarted)):
        assert activity.cause.endswith(f"increasing the capacity from {number} to {number + 1}.")
        triggered = "tidemill-BacklogAlarm in state ALARM triggered policy tidemill-BacklogPolicy"
        assert triggered in activity.cause


@pytest.mark.parametrize("messages", [{"visible": 1}, {"in_flight": 1}], ids=str)
def test_one_message_wakes_one_instance(messages: dict[str, int]) -> None:
    """The message may be visible or in flight."""
    run = a_run()
    for name, number in messages.items():
        setattr(run.queue, name, number)
    run.go(3 * MINUTE)
    assert run.sizes() == [1]


def test_no_message_means_no_instance() -> None:
    """The group stays at 0 for any time without messages."""
    run = a_run()
    run.go(60 * MINUTE, every=10)
    assert run.sizes() == []
    assert run.states() == []


def test_the_fleet_shrinks_to_what_is_needed_and_then_to_none() -> None:
    """It shrinks within a minute, or when HoldSeconds have passed since the peak backlog."""
    for hold, minutes in (("60", 1), ("300", 5)):
        run = a_run(HoldSeconds=hold)
        run.queue.visible = 500
        run.go(4 * MINUTE)
        run.queue.visible = 40
        run.go((minutes - 1) * MINUTE)
        assert run.sizes() == [4]
        run.go(2 * MINUTE)
        assert run.sizes() == [4, 2]
        run.queue.visible = 0
        run.go((minutes - 1) * MINUTE)
        assert run.sizes() == [4, 2]
        run.go(2 * MINUTE)
        assert run.sizes() == [4, 2, 0]
        assert run.states() == []


def test_missing_metrics_change_nothing() -> None:
    """A working fleet keeps its size while its metrics are missing."""
    run = a_run()
    run.queue.visible = 50
    run.go(3 * MINUTE)
    assert run.sizes() == [3]
    for alarm in run.fleet.alarms:
        memory = run.memory.watches[alarm.logical_id].memory
        assert evaluate(alarm, memory, MetricStore(), run.world.now).state is memory.state


def test_work_in_flight_keeps_an_instance() -> None:
    """Scale-in by visible messages alone would interrupt the work."""
    run = a_run()
    run.queue.visible = 10
    run.go(3 * MINUTE)
    run.queue.visible, run.queue.in_flight = 0, 10
    run.go(30 * MINUTE)
    assert run.sizes() == [1]


def test_a_hook_holds_an_instance_until_it_has_drained() -> None:
    """The instance passes through the states of the lifecycle."""
    run = a_run(HoldSeconds="120")
    run.queue.visible = 1
    run.go(3 * MINUTE)
    run.queue.visible = 0
    run.go(6 * MINUTE)
    assert run.lives("i-00000000000000001") == [
        "Pending",
        "InService",
        "Terminating:Wait",
        "Terminating:Proceed",
        "Terminated",
    ]
    assert [order for order, _ in run.world.orders] == ["launch", "drain", "terminate"]


def test_a_hook_that_nobody_completes_times_out() -> None:
    """The heartbeat timeout is the template's."""
    run = a_run(HoldSeconds="120", drain_seconds=None)
    timeout = run.fleet.group.hooks[0].heartbeat_timeout
    run.queue.visible = 1
    run.go(3 * MINUTE)
    run.queue.visible = 0
    run.go(4 * MINUTE + timeout)
    changes = {f.state: f for f in run.of_kind(InstanceChanged)}
    held = changes["Terminating:Proceed"].at - changes["Terminating:Wait"].at
    assert held == pytest.approx(timeout, abs=1)
    assert changes["Terminating:Proceed"].detail == "the hook timed out"


def test_an_instance_that_vanishes_is_replaced() -> None:
    """The cause is in Auto Scaling's words."""
    run = a_run()
    run.queue.visible = 1
    run.go(3 * MINUTE)
    run.world.vanish("i-00000000000000001")
    run.go(1 * MINUTE)
    assert run.states() == ["InService"]
    causes = [f.cause for f in run.of_kind(ActivityStarted)]
    assert "EC2 health check indicating it has been terminated or stopped" in causes[1]
    assert run.sizes() == [1]


def test_no_policy_takes_an_instance_while_one_warms_up() -> None:
    """The surplus is terminated when the warm-up is over."""
    run = a_run(WarmupSeconds="600", HoldSeconds="60")
    run.queue.visible = 40
    run.go(2 * MINUTE)
    run.queue.visible = 1
    run.go(2 * MINUTE)
    run.queue.visible = 0
    run.go(1 * MINUTE)
    run.queue.visible = 1
    run.go(2 * MINUTE)
    assert run.sizes() == [2]
    assert run.held() == ["2 instances are warming up"]
    run.go(8 * MINUTE)
    assert run.sizes() == [2, 1]


def test_the_fast_signal_wakes_the_fleet_within_seconds() -> None:
    """Without it the fleet waits for the metrics of the next minute."""
    waits = {}
    for fast in ("true", "false"):
        run = a_run(FastSignal=fast)
        run.go(10)
        run.queue.visible = 500
        run.go(3 * MINUTE)
        waits[fast] = run.changed_at()[0]
    assert waits["true"] <= 30
    assert waits["false"] >= 60


def test_a_queue_that_fell_asleep_wakes_the_fleet_late() -> None:
    """SQS's metrics are up to 15 minutes late; a fast signal and a kept-awake queue are not."""
    waits = {}
    for name, fast, awake in (
        ("signal", "true", False),
        ("asleep", "false", False),
        ("kept awake", "false", True),
    ):
        run = a_run(FastSignal=fast)
        assert run.fleet.queue.kept_awake
        queue = replace(run.fleet.queue, kept_awake=awake)
        run = Run(replace(run.fleet, queue=queue), run.world)
        run.go(ACTIVE_SECONDS + 5 * MINUTE, every=60)
        run.queue.visible = 500
        begun = run.world.now - START
        run.go(USUAL.wake_up.mean + 3 * MINUTE, every=5)
        waits[name] = run.changed_at()[0] - begun
    assert waits["signal"] <= 30
    assert waits["asleep"] >= USUAL.wake_up.mean
    assert waits["kept awake"] <= 70


@pytest.mark.parametrize("every", [0.5, 1, 5, 20])
def test_the_pace_of_turns_changes_nothing(every: float) -> None:
    """Only the second within a minute at which an event is noticed depends on the pace."""
    runs = []
    for pace in (1, every):
        run = a_run(HoldSeconds="120")
        run.queue.visible = 500
        run.go(6 * MINUTE, every=pace)
        run.queue.visible = 0
        run.go(8 * MINUTE, every=pace)
        runs.append(run)
    assert runs[0].sizes() == runs[1].sizes() == [4, 0]
    assert [f.alarm for f in runs[0].of_kind(AlarmChanged)] == [
        f.alarm for f in runs[1].of_kind(AlarmChanged)
    ]


def test_a_turn_that_comes_late_makes_up_for_nothing_twice() -> None:
    """After a pause, missed minutes are skipped and not counted all at once."""
    run = a_run()
    run.queue.visible = 500
    run.go(10 * MINUTE, every=10 * MINUTE)
    assert len(run.of_kind(CapacitySampled)) == 1
    assert run.sizes() == [4]


def test_a_reason_to_hold_is_reported_once() -> None:
    """The same reason is not reported again in the next minute."""
    run = a_run(WarmupSeconds="3600")
    run.queue.visible = 500
    run.go(3 * MINUTE)
    run.queue.visible = 0
    run.go(20 * MINUTE)
    assert [fact.why for fact in run.of_kind(PolicyHeld)] == ["4 instances are warming up"]


LOADS = st.lists(st.tuples(st.integers(0, 700), st.integers(0, 30)), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(LOADS, st.integers(0, 3), st.booleans())
def test_whatever_the_load_the_group_keeps_its_limits_and_its_instances(
    loads: list[tuple[int, int]],
    vanishing: int,
    hooked: bool,  # noqa: FBT001 - drawn
) -> None:
    """Capacity is in bounds, each instance counts once, and only alarms change it."""
    fleet = product_fleet()
    group = replace(fleet.group, hooks=(DRAIN,) if hooked else ())
    run = Run(replace(fleet, group=group), FakeWorld(FakeQueue(), rate=1))
    for number, (visible, in_flight) in enumerate(loads):
        run.queue.visible, run.queue.in_flight = visible, in_flight
        run.go(2 * MINUTE, every=5)
        alive = run.memory.group.instances
        if number < vanishing and alive:
            run.world.vanish(alive[0].id)
    for turn in run.turns:
        assert 0 <= turn.memory.group.desired <= 4
        assert len(turn.memory.group.wanted()) == turn.memory.group.desired
    ended = {f.instance for f in run.of_kind(InstanceChanged) if f.state == "Terminated"}
    alive_ids = {instance.id for instance in run.memory.group.instances}
    assert not ended & alive_ids
    assert len(ended) + len(alive_ids) == run.memory.group.launched
    states: dict[str, str] = {}
    for fact in run.facts:
        if isinstance(fact, AlarmChanged):
            states[fact.alarm] = fact.after
        elif isinstance(fact, DesiredChanged):
            assert fact.state == states[fact.alarm]


def test_an_event_about_an_unknown_instance_is_passed_over() -> None:
    """The group may have removed the instance already."""
    run = a_run()
    run.world.due.append((START, Vanished("i-unknown")))
    run.go(5)
    assert run.states() == []
