"""Policies of every kind that a user executes, and the cooldown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.fleets import a_fleet, a_policy

from tidemill.scaling.errors import RequestError
from tidemill.scaling.group.memory import Cooldown, GroupMemory
from tidemill.scaling.requests.apply import Applied, apply
from tidemill.scaling.requests.commands import (
    Command,
    ExecutePolicy,
    SetDesiredCapacity,
    UpdateGroup,
)
from tidemill.scaling.spec import AdjustmentType, SimpleScalingPolicy, TargetTrackingPolicy

NOW = 1_750_000_020.0
SIMPLE = SimpleScalingPolicy("More", "more", AdjustmentType.CHANGE, 2, cooldown=60)
TRACK = TargetTrackingPolicy("Track", "track", 50.0, high="High", low="Low")
FLEET = replace(a_fleet(), policies=(a_policy(), SIMPLE, TRACK))
COOLING = GroupMemory(0, cooldown=Cooldown(300, NOW - 100, open=False))


def after(command: Command, memory: GroupMemory = COOLING) -> Applied:
    """Return what comes of a request."""
    return apply(FLEET, memory, command, NOW)


def test_a_simple_policy_is_executed_and_begins_its_cooldown() -> None:
    """Without HonorCooldown it does not wait for the previous cooldown."""
    memory = after(ExecutePolicy("more")).memory
    assert memory.desired == 2
    assert memory.cooldown == Cooldown(60, NOW)


def test_a_step_policy_knows_no_cooldown() -> None:
    """It needs a value and a threshold instead."""
    memory = after(ExecutePolicy("out", 5.0, 1.0, honor_cooldown=True)).memory
    assert (memory.desired, memory.cooldown) == (1, COOLING.cooldown)


@pytest.mark.parametrize(
    "command",
    [ExecutePolicy("more", honor_cooldown=True), SetDesiredCapacity(1, honor_cooldown=True)],
    ids=["policy", "desired-capacity"],
)
def test_a_request_may_honour_the_cooldown(command: Command) -> None:
    """It is refused during the cooldown and accepted afterwards."""
    with pytest.raises(RequestError) as refused:
        after(command)
    assert refused.value.code == "ScalingActivityInProgress"
    assert "cooldown lasts until 2025-06-15T15:10:20Z" in refused.value.message
    assert after(command, replace(COOLING, cooldown=None)).memory.desired > 0


def test_a_target_tracking_policy_is_its_alarms_alone() -> None:
    """A user cannot execute it."""
    with pytest.raises(RequestError, match="track tracks a target: only its own alarms"):
        after(ExecutePolicy("track"))


def test_limits_that_a_user_sets_take_the_place_of_a_schedules() -> None:
    """A limit that the user does not name stays as the schedule has set it."""
    scheduled = GroupMemory(3, min_size=2, max_size=5)
    applied = after(UpdateGroup(max_size=4), scheduled)
    assert (applied.fleet.group.min_size, applied.fleet.group.max_size) == (2, 4)
    assert applied.memory.limits(applied.fleet.group) == (2, 4)
    with pytest.raises(RequestError, match="above max value 5"):
        after(SetDesiredCapacity(6), scheduled)
