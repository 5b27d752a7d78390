"""Scaling activities, made from facts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.fleets import DRAIN, a_fleet, a_group

from tidemill.scaling.facts import Noted
from tidemill.scaling.group.hooks import ABANDON, LAUNCHING, TIMED_OUT, HookResult
from tidemill.scaling.group.memory import GroupMemory, Step
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.transitions import booted, hook_completed, vanished
from tidemill.scaling.requests.activities import (
    KEPT_SECONDS,
    Activity,
    activity_id,
    record_activities,
)
from tidemill.scaling.requests.apply import apply
from tidemill.scaling.requests.commands import TerminateInstance
from tidemill.scaling.spec import LifecycleHook

NOW = 1_750_000_020.0
ONE = "i-00000000000000001"
HOLD = LifecycleHook("hold", LAUNCHING, heartbeat_timeout=60, default_result=ABANDON)


def launched(*hooks: LifecycleHook) -> Step:
    """Return a group that has begun to launch its first instance."""
    return reconcile(a_group(hooks=hooks), GroupMemory(1, cause="Because."), NOW)


def only_activity(step: Step) -> Activity:
    """Return the only activity of a step."""
    (activity,) = record_activities((), step.facts)
    return activity


def test_a_launch_begins_and_succeeds() -> None:
    """The id depends only on the instance, so that runs repeat."""
    step = launched()
    assert only_activity(step) == Activity(
        id=activity_id("launch", ONE),
        kind="launch",
        instance=ONE,
        description=f"Launching a new EC2 instance: {ONE}",
        cause="Because.  At 2025-06-15T15:07:00Z an instance was started in response to a "
        "difference between desired and actual capacity, increasing the capacity from 0 to 1.",
        start=NOW,
        status="PreInService",
        progress=30,
    )
    done = only_activity(step.then(booted(a_group(), step.memory, ONE, NOW + 30)))
    assert (done.status, done.progress, done.end) == ("Successful", 100, NOW + 30)


@pytest.mark.parametrize(
    ("detail", "why"),
    [
        pytest.param("", "Lifecycle Action Completed with ABANDON Result", id="abandoned"),
        pytest.param(TIMED_OUT, "Heartbeat Timeout", id="timed-out"),
    ],
)
def test_a_launch_that_a_hook_ends_is_cancelled(detail: str, why: str) -> None:
    """Description and message give the reason."""
    group = a_group(hooks=(HOLD,))
    step = launched(HOLD)
    step = step.then(booted(group, step.memory, ONE, NOW + 30))
    assert only_activity(step).status == "MidLifecycleAction"
    step = step.then(
        hook_completed(a_group(), step.memory, ONE, NOW + 60, HookResult(ABANDON, detail=detail))
    )
    over = only_activity(step)
    assert (over.status, over.end) == ("Cancelled", NOW + 60)
    assert over.message.startswith("Instance failed to complete user's Lifecycle Action: ")
    assert over.message.endswith(f"was abandoned: {why}")
    assert over.description.endswith(f".  Status Reason: {over.message}")


def test_an_instance_that_is_lost_on_its_way_in_has_two_activities() -> None:
    """Its launch is cancelled, and its termination ends at once."""
    step = launched()
    launch, end = record_activities(
        (), step.then(vanished(step.memory, ONE, "spot", NOW + 9)).facts
    )
    assert (launch.status, launch.end) == ("Cancelled", NOW + 9)
    assert launch.message.startswith("Instance became unhealthy while waiting")
    assert (end.status, end.end) == ("Successful", NOW + 9)


def test_a_termination_waits_for_its_hook_and_for_the_instance() -> None:
    """It succeeds when the instance no longer exists."""
    fleet = a_fleet(group=a_group(hooks=(DRAIN,)))
    step = launched(DRAIN)
    step = step.then(booted(fleet.group, step.memory, ONE, NOW + 30))
    known = record_activities((), step.facts)
    seen = []
    applied = apply(fleet, step.memory, TerminateInstance(ONE, should_decrement=True), NOW + 60)
    known = record_activities(known, applied.facts)
    seen.append(known[-1].status)
    step = hook_completed(a_group(), applied.memory, ONE, NOW + 70)
    known = record_activities(known, step.facts)
    seen.append(known[-1].status)
    known = record_activities(known, vanished(step.memory, ONE, "", NOW + 80).facts)
    seen.append(known[-1].status)
    assert seen == ["MidTerminatingLifecycleAction", "InProgress", "Successful"]
    assert [item.status for item in known] == ["Successful", "Successful"]
    assert known[-1].end == NOW + 80


def test_a_launch_that_is_taken_back_is_cancelled_without_a_message() -> None:
    """A termination by scale-in is no failure of the launch."""
    step = launched()
    step = step.then(reconcile(a_group(), replace(step.memory, desired=0), NOW + 1))
    launch, end = record_activities((), step.facts)
    assert (launch.status, launch.message) == ("Cancelled", "")
    assert (end.status, end.end) == ("InProgress", None)


def test_a_scale_in_that_finds_only_protected_instances_is_cancelled_at_once() -> None:
    """The activity names no instance."""
    step = launched()
    step = booted(a_group(), step.memory, ONE, NOW)
    guarded = replace(step.memory.instances[0], protected=True)
    memory = replace(step.memory, desired=0, instances=(guarded,))
    activity = only_activity(reconcile(a_group(), memory, NOW))
    assert (activity.status, activity.end, activity.instance) == ("Cancelled", NOW, "")
    assert activity.description.startswith("Could not scale to desired capacity because all")


def test_other_facts_change_no_activity() -> None:
    """The known activities are returned unchanged."""
    known = record_activities((), launched().facts)
    assert record_activities(known, [Noted(NOW, "a note")]) is known


def test_activities_are_forgotten_after_six_weeks() -> None:
    """Activities in progress are kept."""
    step = launched()
    going = record_activities((), step.facts)
    over = record_activities(going, booted(a_group(), step.memory, ONE, NOW).facts)
    later = reconcile(a_group(), GroupMemory(2, launched=4), NOW + KEPT_SECONDS + 1).facts
    assert [item.kind for item in record_activities(going, later)] == ["launch"] * 3
    assert over[0] not in record_activities(over, later)
