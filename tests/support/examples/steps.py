"""Forms of AWS's published examples of step scaling policies."""

from __future__ import annotations

from typing import Any

from support.builders.alarms import an_alarm
from support.builders.fleets import a_fleet, a_group, a_policy
from support.examples.shape import Expected, Given, Shape, has

from tidemill.scaling.alarms.watching import DueAlarm
from tidemill.scaling.group.capacity import Capacity
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Instance
from tidemill.scaling.policies.decision import decide
from tidemill.scaling.policies.dispatch import warmup
from tidemill.scaling.policies.step import find_step, step_outcome, step_problems, whole_change
from tidemill.scaling.spec import AdjustmentType, Comparison, Limits, StepAdjustment

UNLIMITED = 10**6
LIMITS = {"min", "max"}
ASKED = {"adjustment_type", "min_adjustment_magnitude"} | LIMITS
CAPACITIES = {"current", "desired", "warming", "terminating"}
RESULTS = {"desired", "capacity", "added", "removed", "change", "scaling_activity", "raw_change"}


def are_steps(listed: object) -> bool:
    """Return whether an example is a list of steps with bounds and adjustment only."""
    return isinstance(listed, list) and all(
        isinstance(step, dict) and step.keys() == {"lower", "upper", "adj"} for step in listed
    )


def steps_of(listed: list[Given]) -> tuple[StepAdjustment, ...]:
    """Return the steps that an example lists."""
    return tuple(StepAdjustment(step["lower"], step["upper"], step["adj"]) for step in listed)


def side_of(steps: tuple[StepAdjustment, ...], threshold: float, metric: float) -> Comparison:
    """Return the comparison of the alarm for which such steps are valid."""
    if all(step.upper is not None and step.upper <= 0 for step in steps):
        return Comparison.LESS_OR_EQUAL
    if all(step.lower is not None and step.lower >= 0 for step in steps):
        return Comparison.GREATER_OR_EQUAL
    return Comparison.GREATER_OR_EQUAL if metric >= threshold else Comparison.LESS_OR_EQUAL


def asked(given: Given, step: StepAdjustment) -> dict[str, Any]:
    """Return every result that a step can have, by the names that examples use."""
    policy = a_policy(
        adjustment_type=AdjustmentType(given.get("adjustment_type", AdjustmentType.CHANGE)),
        min_adjustment_magnitude=given.get("min_adjustment_magnitude"),
    )
    settled, warming = given["current"], given.get("warming", 0)
    before = given.get("desired", settled + warming)
    capacity = Capacity(before, settled, warming, given.get("terminating", 0))
    limits = Limits(given.get("min", 0), given.get("max", UNLIMITED))
    outcome = step_outcome(policy, step, capacity, limits)
    after = before if outcome.desired is None else outcome.desired
    return {
        **_change(before, after),
        "raw_change": settled * step.adjustment / 100,
    }


def compare(results: dict[str, Any], expected: Expected) -> None:
    """Compare the expected results of an example with the actual ones of the same names."""
    for name, value in expected.items():
        assert abs(results[name] - value) < 1e-9, name


def check_rounding(given: Given, expected: Expected) -> None:
    """Round the change of a percentage."""
    assert whole_change(given["raw_change"]) == expected["change"]


def check_adjustment(given: Given, expected: Expected) -> None:
    """Adjust a capacity, within the group's limits if there are any."""
    compare(asked(given, StepAdjustment(0, None, given["adjustment"])), expected)


def check_metric(given: Given, expected: Expected) -> None:
    """Find the step for a metric's value, and adjust the capacity by it."""
    steps = steps_of(given["steps"])
    threshold, metric = given["threshold"], given["metric"]
    step = find_step(steps, side_of(steps, threshold, metric), threshold, metric)
    if "adjustment" in expected:
        assert (None if step is None else step.adjustment) == expected["adjustment"]
        return
    assert step is not None
    compare(asked(given, step), expected)


def check_quiet_range(given: Given, expected: Expected) -> None:
    """Try a range of a metric in which no step in either direction changes anything."""
    low, high = given["metric_range_exclusive"]
    threshold = given["threshold"]
    for metric in range(low + 1, high):
        side = "out_steps" if metric >= threshold else "in_steps"
        check_metric({**given, "steps": given[side], "metric": metric}, expected)


def check_terminating(given: Given, expected: Expected) -> None:
    """Trigger an alarm again while an instance is being terminated."""
    results = asked(
        {**given, "current": given["in_service"]}, StepAdjustment(None, 0, given["steps_adjust"])
    )
    compare(results, expected)


def check_validity(given: Given, expected: Expected) -> None:
    """Accept steps, or refuse them because of the gap or overlap that the example names."""
    problems = step_problems(steps_of(given["steps"]))
    assert (problems == []) is expected["valid"]
    for word in ("gap", "overlap"):
        if expected.get("rule") == f"no {word}":
            assert word in "; ".join(problems)


def check_warmup(given: Given, expected: Expected) -> None:
    """Compare the warm-up that applies."""
    group = a_group(
        default_warmup=given["DefaultInstanceWarmup"], default_cooldown=given["DefaultCooldown"]
    )
    policy = a_policy(warmup=given["EstimatedInstanceWarmup"])
    assert warmup(a_fleet(group=group), policy) == expected["effective_warmup_s"]


def adjustments_of(given: Given) -> list[tuple[AdjustmentType, int]]:
    """Return the adjustments of an example's policies, each written as {type: number}."""
    return [
        (AdjustmentType(kind), number)
        for policy in given["policies"]
        for kind, number in policy.items()
    ]


def is_several(given: Given, expected: Expected) -> bool:
    """Return whether the example has several policies of known types for one group."""
    return (
        has({"current", "policies"}, LIMITS | {"service"})(given)
        and expected.keys() <= RESULTS - {"raw_change"}
        and all(
            isinstance(policy, dict) and policy.keys() <= {*AdjustmentType}
            for policy in given["policies"]
        )
    )


def check_several(given: Given, expected: Expected) -> None:
    """Trigger several policies at the same time."""
    before = given["current"]
    policies = tuple(
        a_policy(
            logical_id=str(number), adjustment_type=kind, steps=(StepAdjustment(0, None, size),)
        )
        for number, (kind, size) in enumerate(adjustments_of(given))
    )
    group = a_group(min_size=given.get("min", 0), max_size=given.get("max", UNLIMITED))
    instances = tuple(
        Instance(str(number), LifecycleState.IN_SERVICE, 0, 0) for number in range(before)
    )
    alarm = an_alarm(threshold=0.0, actions=tuple(policy.logical_id for policy in policies))
    after = decide(
        a_fleet(policies, (alarm,), group),
        GroupMemory(before, instances),
        {},
        [DueAlarm(alarm, 1.0, {})],
        0,
    ).group.desired
    compare(
        _change(before, after),
        expected,
    )


STEP_SHAPES: tuple[Shape, ...] = (
    Shape(
        "a change rounded",
        lambda given, expected: (
            has({"adjustment_type", "raw_change"})(given) and has({"change"})(expected)
        ),
        check_rounding,
    ),
    Shape(
        "an adjustment of a capacity",
        lambda given, expected: (
            has({"current", "adjustment"}, ASKED | CAPACITIES)(given) and expected.keys() <= RESULTS
        ),
        check_adjustment,
    ),
    Shape(
        "a metric's step",
        lambda given, expected: (
            has({"threshold", "steps", "metric"})(given)
            and are_steps(given["steps"])
            and has({"adjustment"})(expected)
        ),
        check_metric,
    ),
    Shape(
        "a metric's step and the resulting capacity",
        lambda given, expected: (
            has({"threshold", "steps", "metric", "current"}, ASKED | CAPACITIES)(given)
            and are_steps(given["steps"])
            and expected.keys() <= RESULTS
        ),
        check_metric,
    ),
    Shape(
        "a range in which nothing changes",
        lambda given, expected: (
            has(
                {"threshold", "out_steps", "in_steps", "metric_range_exclusive", "current"},
                ASKED | CAPACITIES,
            )(given)
            and expected.keys() <= RESULTS
        ),
        check_quiet_range,
    ),
    Shape(
        "an alarm that triggers again while an instance is terminated",
        lambda given, expected: (
            has({"steps_adjust", "in_service", "terminating", "desired", "alarm"}, ASKED)(given)
            and given["alarm"] == "breaching in the same step"
            and expected.keys() <= RESULTS
        ),
        check_terminating,
    ),
    Shape(
        "whether steps are valid",
        lambda given, expected: (
            has({"steps"})(given)
            and are_steps(given["steps"])
            and has({"valid"}, {"rule"})(expected)
        ),
        check_validity,
    ),
    Shape(
        "which warm-up applies",
        lambda given, expected: (
            has({"EstimatedInstanceWarmup", "DefaultInstanceWarmup", "DefaultCooldown"})(given)
            and has({"effective_warmup_s"})(expected)
        ),
        check_warmup,
    ),
    Shape("several policies at once", is_several, check_several),
)


def _change(before: int, after: int) -> dict[str, Any]:
    """Return a change of the desired capacity by every name that examples have for it."""
    return {
        "desired": after,
        "capacity": after,
        "added": after - before,
        "removed": before - after,
        "change": after - before,
        "scaling_activity": after != before,
    }
