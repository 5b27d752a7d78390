"""Dispatch over the kinds of policies: runs a policy by the rules of its kind.

Alarms (`decision`), requests (`requests.execute_policy`) and the lint all use it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tidemill.scaling.group.capacity import capacity_of
from tidemill.scaling.policies.outcome import Outcome
from tidemill.scaling.policies.simple import begin_cooldown, simple_outcome, why_wait
from tidemill.scaling.policies.step import find_step, step_outcome
from tidemill.scaling.policies.tracking import tracked_in, tracked_out
from tidemill.scaling.spec import (
    Comparison,
    SimpleScalingPolicy,
    StepScalingPolicy,
    TargetTrackingPolicy,
)

if TYPE_CHECKING:
    from tidemill.scaling.group.capacity import Capacity
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.spec import Alarm, Fleet, Limits, Policy


@dataclass(frozen=True, slots=True)
class Trigger:
    """Input of a policy: an alarm's value, None if it has no value, and the alarm's threshold.

    `alarm` is the alarm's logical id: a target tracking policy has one alarm for scale-out and one
    for scale-in. Simple scaling uses none of these fields.
    """

    value: float | None = None
    threshold: float = 0.0
    comparison: Comparison = Comparison.GREATER_OR_EQUAL
    alarm: str = ""

    @staticmethod
    def of_alarm(alarm: Alarm, value: float | None) -> Trigger:
        """Return the trigger of an alarm with this value."""
        return Trigger(value, alarm.threshold, alarm.comparison, alarm.logical_id)


def policy_outcome(policy: Policy, trigger: Trigger, capacity: Capacity, limits: Limits) -> Outcome:
    """Return the outcome of a policy for a group with this capacity, ignoring any cooldown."""
    match policy:
        case SimpleScalingPolicy():
            return simple_outcome(policy, capacity, limits)
        case TargetTrackingPolicy():
            if trigger.value is None:
                return Outcome(None, "the metric has no datapoint")
            side = tracked_out if trigger.alarm == policy.high else tracked_in
            return side(policy, trigger.value, capacity, limits)
        case StepScalingPolicy():
            step = None
            if trigger.value is not None:
                step = find_step(policy.steps, trigger.comparison, trigger.threshold, trigger.value)
            if step is None:
                return Outcome(None, "the alarm's value is in no step")
            return step_outcome(policy, step, capacity, limits)


def run_policy(
    fleet: Fleet, group: GroupMemory, policy: Policy, trigger: Trigger, now: float
) -> Outcome:
    """Return the outcome of a policy for the group as it is now, ignoring any cooldown."""
    capacity = capacity_of(group, warmup(fleet, policy), now)
    return policy_outcome(policy, trigger, capacity, group.limits(fleet.group))


def why_policy_waits(fleet: Fleet, policy: Policy, group: GroupMemory, now: float) -> str:
    """Return why a policy has to wait, empty if it may act; only simple scaling waits."""
    return why_wait(fleet.group, group, now) if isinstance(policy, SimpleScalingPolicy) else ""


def after_scaling(group: GroupMemory, policy: Policy, now: float) -> GroupMemory:
    """Return the group after this policy has changed its desired capacity.

    Simple scaling begins a cooldown; the other kinds leave the group as it is.
    """
    if isinstance(policy, SimpleScalingPolicy):
        return replace(group, cooldown=begin_cooldown(policy, now))
    return group


def warmup(fleet: Fleet, policy: Policy) -> int:
    """Return a policy's warm-up in seconds: its own, the group's, or the default cooldown.

    The first of these that is set applies. Simple scaling has no warm-up: it counts from the
    desired capacity.
    """
    if isinstance(policy, SimpleScalingPolicy):
        return 0
    if policy.warmup is not None:
        return policy.warmup
    if fleet.group.default_warmup is not None:
        return fleet.group.default_warmup
    return fleet.group.default_cooldown
