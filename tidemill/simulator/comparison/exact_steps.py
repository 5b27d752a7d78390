"""Exact steps: the template's policies with a step for every number of instances.

AWS allows 20 steps in a policy, so this cannot be deployed for more instances. It shows what the
coarse steps of a large fleet cost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemill.scaling.spec import AdjustmentType, StepAdjustment, StepScalingPolicy

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet, Policy


def exact_steps(fleet: Fleet) -> Fleet | None:
    """Return the fleet with exact steps, None if its steps are exact already, or no such steps.

    Only policies of which each step sets as many instances as its upper bound are changed: the
    value of their alarm is a number of instances. Example: steps that set 1, 2 and 4 become steps
    that set 1, 2, 3 and 4.
    """
    most = fleet.group.max_size
    coarse = [policy for policy in fleet.policies if _is_coarse(policy, most)]
    if not coarse:
        return None
    policies = tuple(
        replace(policy, steps=_every_size(most))
        if isinstance(policy, StepScalingPolicy) and policy in coarse
        else policy
        for policy in fleet.policies
    )
    return replace(fleet, policies=policies)


def _is_coarse(policy: Policy, most: int) -> bool:
    """Return whether a policy sets numbers of instances, but not each one below the largest."""
    if not isinstance(policy, StepScalingPolicy):
        return False
    if policy.adjustment_type is not AdjustmentType.EXACT or not all(
        step.lower is not None and step.upper in {None, step.adjustment} for step in policy.steps
    ):
        return False
    return not {step.adjustment for step in policy.steps} >= {*range(1, most)}


def _every_size(most: int) -> tuple[StepAdjustment, ...]:
    """Return steps that set each number of instances from 1 to the largest one."""
    below = (StepAdjustment(size - 1, size, size) for size in range(1, most))
    return (*below, StepAdjustment(most - 1, None, most))
