"""ExecutePolicy: a scaling policy that a user runs, instead of an alarm.

Source: EC2 Auto Scaling API Reference, ExecutePolicy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.errors import RequestError, invalid
from tidemill.scaling.policies.dispatch import Trigger, run_policy
from tidemill.scaling.policies.simple import why_wait
from tidemill.scaling.policies.step import find_step
from tidemill.scaling.spec import (
    Comparison,
    SimpleScalingPolicy,
    StepScalingPolicy,
    TargetTrackingPolicy,
)

if TYPE_CHECKING:
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.policies.outcome import Outcome
    from tidemill.scaling.requests.commands import ExecutePolicy
    from tidemill.scaling.spec import Fleet, Policy


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


def check_cooldown(fleet: Fleet, memory: GroupMemory, now: float) -> None:
    """Check that a simple scaling policy may act now.

    Raises:
        RequestError: an activity is in progress, or the cooldown has not ended.
    """
    why = why_wait(fleet.group, memory, now)
    if why:
        raise RequestError("ScalingActivityInProgress", f"The request has to wait: {why}")


def requested_outcome(
    fleet: Fleet, memory: GroupMemory, policy: Policy, command: ExecutePolicy, now: float
) -> Outcome:
    """Return the outcome of a policy that a user executes.

    Raises:
        RequestError: users cannot execute this kind of policy, the command lacks a value or a
            threshold for it, or the cooldown has not ended.
    """
    match policy:
        case StepScalingPolicy():
            trigger = _step_trigger(fleet, policy, command)
        case SimpleScalingPolicy():
            trigger = Trigger()
            if command.honor_cooldown:
                check_cooldown(fleet, memory, now)
        case TargetTrackingPolicy():
            raise invalid(f"Policy {policy.name} tracks a target: only its own alarms execute it")
    return run_policy(fleet, memory, policy, trigger, now)


def _step_trigger(fleet: Fleet, policy: StepScalingPolicy, command: ExecutePolicy) -> Trigger:
    value, threshold = command.metric_value, command.breach_threshold
    if value is None or threshold is None:
        raise invalid("MetricValue and BreachThreshold are required for a StepScaling policy")
    comparison = _comparison(fleet, policy, value, threshold)
    if find_step(policy.steps, comparison, threshold, value) is None:
        raise invalid(
            f"MetricValue {value:g} with BreachThreshold {threshold:g} corresponds to no step "
            f"adjustment of policy {policy.name}"
        )
    return Trigger(value, threshold, comparison)


def _comparison(
    fleet: Fleet, policy: StepScalingPolicy, value: float, threshold: float
) -> Comparison:
    """Return the comparison of the policy's alarm; without an alarm, one that the value fulfils."""
    for alarm in fleet.alarms:
        if policy.logical_id in alarm.policies:
            return alarm.comparison
    return Comparison.GREATER_OR_EQUAL if value >= threshold else Comparison.LESS_OR_EQUAL
