"""Step scaling: the step that an alarm's value falls in, and the capacity that it asks for.

Rules: EC2 Auto Scaling User Guide, "Step and simple scaling policies for Amazon EC2 Auto Scaling".
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from tidemill.scaling.policies.outcome import Outcome, scale_in, scale_out
from tidemill.scaling.spec import AdjustmentType, Comparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemill.scaling.group.capacity import Capacity
    from tidemill.scaling.spec import (
        Limits,
        SimpleScalingPolicy,
        StepAdjustment,
        StepScalingPolicy,
    )

MAX_STEPS = 20
"""The largest number of step adjustments in one policy (EC2 Auto Scaling quotas)."""

UPWARDS = frozenset({Comparison.GREATER, Comparison.GREATER_OR_EQUAL})
"""The operators of alarms that look for values above their threshold."""


def step_problems(steps: Sequence[StepAdjustment]) -> list[str]:
    """Return one sentence for each reason why Auto Scaling would refuse these steps."""
    if not steps:
        return ["a step scaling policy needs at least one step"]
    problems = []
    if len(steps) > MAX_STEPS:
        problems.append(f"{len(steps)} steps are more than {MAX_STEPS}")
    for step in steps:
        if step.lower is None and step.upper is None:
            problems.append("a step needs at least one bound")
        elif step.lower is not None and step.upper is not None and step.lower >= step.upper:
            problems.append(f"a step from {step.lower:g} to {step.upper:g} contains nothing")
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
    """Return the step that contains an alarm's value, None if no step does.

    Bounds are relative to the threshold. A value above the threshold belongs to the step that has
    it as its lower bound, a value below the threshold to the step that has it as its upper bound
    (API reference, StepAdjustment). Example with a threshold of 50: a step from 10 to 20 contains
    60 and not 70, a step from -20 to -10 contains 40 and not 30, for any comparison operator.

    A value equal to the threshold belongs to a step from 0 to 10 as well as to one from -10 to 0
    (the two examples of that page). If a policy has both, the alarm's comparison operator decides:
    the upper step for "greater", the lower one for "less" (assumed; the page does not say).
    """
    distance = value - threshold
    found: StepAdjustment | None = None
    for step in steps:
        if not _contains(step, distance):
            continue
        if found is None or (step.lower == 0) is (comparison in UPWARDS):
            found = step
        if distance:
            break
    return found


def _contains(step: StepAdjustment, distance: float) -> bool:
    lower = -math.inf if step.lower is None else step.lower
    upper = math.inf if step.upper is None else step.upper
    if distance > 0:
        return lower <= distance < upper
    if distance < 0:
        return lower < distance <= upper
    return lower <= 0 <= upper


def whole_change(raw: float) -> int:
    """Return a change in percent as a whole number of instances, rounded as AWS publishes.

    It is rounded towards zero, but a change between -1 and 1 becomes -1 or 1: 12.7 -> 12,
    -6.67 -> -6, 0.67 -> 1, -0.58 -> -1, 0 -> 0.
    """
    if 0 < abs(raw) < 1:
        return 1 if raw > 0 else -1
    return math.trunc(raw)


def adjusted(policy: StepScalingPolicy | SimpleScalingPolicy, adjustment: int, current: int) -> int:
    """Return the capacity after an adjustment of the current one, before the group's limits.

    MinAdjustmentMagnitude is "the minimum value to scale by" (API reference, PutScalingPolicy). It
    does not enlarge an adjustment of 0 %, which asks for no change (assumed). Example with 2: 25 %
    of 4 is 1 and becomes 2, so 4 + 2 = 6; 100 % of 0 is 0 and becomes 2; 0 % of 4 stays 0.
    """
    match policy.adjustment_type:
        case AdjustmentType.EXACT:
            return adjustment
        case AdjustmentType.CHANGE:
            return current + adjustment
        case AdjustmentType.PERCENT:
            change = whole_change(current * adjustment / 100)
            least = policy.min_adjustment_magnitude or 0
            if adjustment and abs(change) < least:
                change = int(math.copysign(least, adjustment))
            return current + change


def step_outcome(
    policy: StepScalingPolicy, step: StepAdjustment, capacity: Capacity, limits: Limits
) -> Outcome:
    """Return the outcome of a step, counted from the instances past warm-up.

    Example of the user guide: a step of +30 % with 10 settled, 1 warming and 11 desired asks for
    13; a step of +10 % asks for 11, which is no change. `outcome` has the rules of both directions.
    """
    target = adjusted(policy, step.adjustment, capacity.settled)
    if target > capacity.settled:
        return scale_out(target, capacity, limits)
    if target == capacity.settled and policy.adjustment_type is not AdjustmentType.EXACT:
        return Outcome(None, "the step asks for no change", stays=True)
    return scale_in(lambda counted: adjusted(policy, step.adjustment, counted), capacity, limits)
