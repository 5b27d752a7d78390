"""Steps and adjustments: which step an alarm's value falls in, and the capacity that comes of it.

Rules: EC2 Auto Scaling User Guide, "Step and simple scaling policies for Amazon EC2 Auto Scaling".
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.scaling.spec import AdjustmentType, Comparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemill.scaling.group.capacity import Capacity
    from tidemill.scaling.spec import SimpleScalingPolicy, StepAdjustment, StepScalingPolicy

MAX_STEPS = 20
"""Step adjustments of one policy at most (EC2 Auto Scaling quotas)."""

LOWER_INCLUSIVE = frozenset({Comparison.GREATER, Comparison.GREATER_OR_EQUAL})
"""Above the threshold a step holds its lower bound, below the threshold its upper one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy comes to: the new desired capacity, or None and why nothing changes.

    A policy that `stays` asks for the capacity that is desired already, which is a capacity to
    compare with those of other policies; one that must wait asks for nothing.
    """

    desired: int | None
    held: str = ""
    stays: bool = False


def step_problems(steps: Sequence[StepAdjustment]) -> list[str]:
    """Return what Auto Scaling would refuse in these steps, a sentence each; none when valid."""
    if not steps:
        return ["a step scaling policy needs at least one step"]
    problems = []
    if len(steps) > MAX_STEPS:
        problems.append(f"{len(steps)} steps are more than {MAX_STEPS}")
    for step in steps:
        if step.lower is None and step.upper is None:
            problems.append("a step needs at least one bound")
        elif step.lower is not None and step.upper is not None and step.lower >= step.upper:
            problems.append(f"a step from {step.lower:g} to {step.upper:g} holds nothing")
    for name, bounds in (
        ("lower", [step.lower for step in steps]),
        ("upper", [step.upper for step in steps]),
    ):
        if bounds.count(None) > 1:
            problems.append(f"only one step may have no {name} bound")
    return problems + _chain_problems(steps)


def _chain_problems(steps: Sequence[StepAdjustment]) -> list[str]:
    problems = []
    ordered = sorted(steps, key=lambda step: -math.inf if step.lower is None else step.lower)
    for below, above in itertools.pairwise(ordered):
        end = math.inf if below.upper is None else below.upper
        start = -math.inf if above.lower is None else above.lower
        if end > start:
            problems.append(f"steps overlap at {start:g}")
        elif end < start:
            problems.append(f"there is a gap from {end:g} to {start:g}")
    if ordered[0].lower is not None and ordered[0].lower < 0:
        problems.append("with a negative lower bound, one step must have no lower bound")
    if ordered[-1].upper is not None and ordered[-1].upper > 0:
        problems.append("with a positive upper bound, one step must have no upper bound")
    return problems


def find_step(
    steps: Sequence[StepAdjustment], comparison: Comparison, threshold: float, value: float
) -> StepAdjustment | None:
    """Return the step that an alarm's value falls in, or None when it is in none.

    Bounds are relative to the threshold; which of them belongs to the step depends on the
    alarm's side of the threshold.
    """
    distance = value - threshold
    for step in steps:
        lower = -math.inf if step.lower is None else step.lower
        upper = math.inf if step.upper is None else step.upper
        if comparison in LOWER_INCLUSIVE:
            inside = lower <= distance < upper
        else:
            inside = lower < distance <= upper
        if inside:
            return step
    return None


def whole_change(raw: float) -> int:
    """Round a percentage's change as published: towards zero, but to 1 or -1 within them."""
    if 0 < abs(raw) < 1:
        return 1 if raw > 0 else -1
    return math.trunc(raw)


def adjusted(policy: StepScalingPolicy | SimpleScalingPolicy, adjustment: int, current: int) -> int:
    """Return the capacity that an adjustment makes of the current one, before the group's limits.

    MinAdjustmentMagnitude lifts a change, not the absence of one: an adjustment of 0 % stays at 0.
    """
    match policy.adjustment_type:
        case AdjustmentType.EXACT:
            return adjustment
        case AdjustmentType.CHANGE:
            return current + adjustment
        case AdjustmentType.PERCENT:
            change = whole_change(current * adjustment / 100)
            least = policy.min_adjustment_magnitude or 0
            if change and abs(change) < least:
                change = int(math.copysign(least, change))
            return current + change


def clamp(capacity: int, low: int, high: int) -> int:
    """Return the capacity within the group's minimum and maximum."""
    return max(low, min(high, capacity))


def new_desired(
    policy: StepScalingPolicy, step: StepAdjustment, capacity: Capacity, low: int, high: int
) -> Outcome:
    """Return what a step makes of the group's desired capacity.

    Out: counted from the instances past warm-up, and never less than what is desired already.
    In: not while an instance is pending or warms up (that pending ones count here is our reading
    of "while instances are warming up"); instances that terminate still count, so that a second
    alarm in the same step takes nothing more.
    """
    target = adjusted(policy, step.adjustment, capacity.settled)
    if target > capacity.settled:
        wanted = clamp(max(target, capacity.desired), low, high)
        if wanted == capacity.desired:
            return staying(capacity)
        return Outcome(wanted)
    if target == capacity.settled and policy.adjustment_type is not AdjustmentType.EXACT:
        return Outcome(None, "the step asks for no change", stays=True)
    if capacity.warming:
        return warming_up(capacity)
    counted = capacity.settled + capacity.terminating
    wanted = clamp(adjusted(policy, step.adjustment, counted), low, high)
    return staying(capacity) if wanted >= capacity.desired else Outcome(wanted)


def warming_up(capacity: Capacity) -> Outcome:
    """Return what comes of a policy that takes nothing while instances warm up."""
    return Outcome(None, f"{capacity.warming} instances are warming up")


def staying(capacity: Capacity) -> Outcome:
    """Return what comes of a policy that is content with what is desired already."""
    return Outcome(None, f"the group wants {capacity.desired} already", stays=True)
