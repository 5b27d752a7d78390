"""A policy that a user executes instead of an alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.errors import RequestError, invalid
from tidemill.scaling.group.capacity import see_capacity
from tidemill.scaling.policies.decision import warmup
from tidemill.scaling.policies.simple import simply_scaled, why_wait
from tidemill.scaling.policies.step import find_step, new_desired
from tidemill.scaling.spec import (
    Comparison,
    SimpleScalingPolicy,
    StepScalingPolicy,
    TargetTrackingPolicy,
)

if TYPE_CHECKING:
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.policies.step import Outcome
    from tidemill.scaling.requests.commands import ExecutePolicy
    from tidemill.scaling.spec import Fleet, Policy, StepAdjustment


def find_policy(fleet: Fleet, name: str) -> Policy:
    """Return the group's policy with this name.

    Raises:
        RequestError: there is none.
    """
    for policy in fleet.policies:
        if policy.name == name:
            return policy
    known = ", ".join(policy.name for policy in fleet.policies)
    raise invalid(f"No scaling policy of the group is named {name}; there are: {known}")


def check_cooldown(memory: GroupMemory, now: float) -> None:
    """Make sure that a simple scaling need not wait.

    Raises:
        RequestError: it has to.
    """
    why = why_wait(memory, now)
    if why:
        raise RequestError("ScalingActivityInProgress", f"The request has to wait: {why}")


def outcome_of(
    fleet: Fleet, memory: GroupMemory, policy: Policy, command: ExecutePolicy, now: float
) -> Outcome:
    """Return what a policy comes to that a user executes (API reference, ExecutePolicy).

    Raises:
        RequestError: it cannot be executed so, or has to wait.
    """
    low, high = memory.limits(fleet.group)
    match policy:
        case StepScalingPolicy():
            step = _asked_step(fleet, policy, command)
            seen = see_capacity(memory, warmup(fleet, policy), now)
            return new_desired(policy, step, seen, low, high)
        case SimpleScalingPolicy():
            if command.honor_cooldown:
                check_cooldown(memory, now)
            return simply_scaled(policy, see_capacity(memory, 0, now), low, high)
        case TargetTrackingPolicy():
            raise invalid(f"Policy {policy.name} tracks a target: only its own alarms execute it")


def _asked_step(fleet: Fleet, policy: StepScalingPolicy, command: ExecutePolicy) -> StepAdjustment:
    value, threshold = command.metric_value, command.breach_threshold
    if value is None or threshold is None:
        raise invalid("MetricValue and BreachThreshold are required for a StepScaling policy")
    step = find_step(policy.steps, _side(fleet, policy, value, threshold), threshold, value)
    if step is None:
        raise invalid(
            f"MetricValue {value:g} with BreachThreshold {threshold:g} corresponds to no step "
            f"adjustment of policy {policy.name}"
        )
    return step


def _side(fleet: Fleet, policy: StepScalingPolicy, value: float, threshold: float) -> Comparison:
    """Return how the policy's alarm compares; without one the value says on which side it is."""
    for alarm in fleet.alarms:
        if policy.logical_id in alarm.policies:
            return alarm.comparison
    return Comparison.GREATER_OR_EQUAL if value >= threshold else Comparison.LESS_OR_EQUAL
