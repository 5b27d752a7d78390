"""Kinds of AWS's published examples of step scaling policies."""

from __future__ import annotations

import re
from typing import Any

from support.builders.alarms import an_alarm
from support.builders.fleets import a_fleet, a_group, a_policy
from support.examples.kind import Expected, Given, Kind, fields, take
from support.examples.names import is_commentary

from tidemill.scaling.alarms.watching import DueAlarm
from tidemill.scaling.group.capacity import Capacity
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Instance
from tidemill.scaling.policies.decision import decide
from tidemill.scaling.policies.dispatch import warmup
from tidemill.scaling.policies.step import find_step, step_outcome, step_problems, whole_change
from tidemill.scaling.spec import AdjustmentType, Comparison, Limits, StepAdjustment

UNLIMITED = 10**6
CLEARED = -1
"""A DefaultInstanceWarmup that removes an earlier one (API, UpdateAutoScalingGroup)."""
ASKED = "adjustment_type min_adjustment_magnitude min max"
CAPACITIES = "current desired warming terminating"
RESULTS = "desired capacity added removed change scaling_activity raw_change"


def steps_of(listed: list[Given]) -> tuple[StepAdjustment, ...]:
    """Return the steps that an example lists; a bound that is absent is none, like null."""
    return tuple(StepAdjustment(*take(step, "lower", "upper", "adjustment")) for step in listed)


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
    settled, warming = given.get("current", given.get("desired", 0)), given.get("warming", 0)
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
        assert isinstance(value, int | float), name
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
    if metric is None:
        check_without_metric(given, expected)
        return
    step = find_step(steps, side_of(steps, threshold, metric), threshold, metric)
    if "adjustment" in expected:
        assert (None if step is None else step.adjustment) == expected["adjustment"]
        return
    assert step is not None
    compare(asked(given, step), expected)


def check_without_metric(given: Given, expected: Expected) -> None:
    """Trigger a policy by an alarm without a datapoint: nothing changes."""
    policy = a_policy(steps=steps_of(given["steps"]))
    alarm = an_alarm(threshold=given["threshold"], actions=(policy.logical_id,))
    before = given.get("desired", given.get("current", 0))
    due = [DueAlarm(alarm, None, {})]
    fleet = a_fleet((policy,), (alarm,), a_group(max_size=UNLIMITED))
    after = decide(fleet, GroupMemory(before), {}, due, 0).group.desired
    results = {**_change(before, after), "adjustment": None}
    assert {name: results[name] for name in expected} == dict(expected)


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
    problems = "; ".join(step_problems(steps_of(given["steps"])))
    assert (problems == "") is expected["valid"]
    for word in re.findall(r"\b(gap|overlap)", expected.get("rule", "")):
        assert word in problems


def check_warmup(given: Given, expected: Expected) -> None:
    """Compare the warm-up that applies."""
    default = given.get("DefaultInstanceWarmup")
    group = a_group(
        default_warmup=None if default == CLEARED else default,
        default_cooldown=given.get("DefaultCooldown", a_group().default_cooldown),
    )
    policy = a_policy(warmup=given.get("EstimatedInstanceWarmup"))
    assert warmup(a_fleet(group=group), policy) == expected["effective_warmup_s"]


def adjustments_of(given: Given) -> list[tuple[AdjustmentType, int]]:
    """Return the adjustments of an example's policies, each as {type: number} or as a policy."""
    if any("adjustment_type" in policy for policy in given["policies"]):
        written = [take(one, "adjustment_type", "adjustment") for one in given["policies"]]
        return [(AdjustmentType(kind), number) for kind, number in written]
    return [
        (AdjustmentType(kind), number)
        for policy in given["policies"]
        for kind, number in policy.items()
        if not is_commentary(kind)
    ]


def check_several(given: Given, expected: Expected) -> None:
    """Trigger several policies at the same time."""
    before = given.get("desired", given.get("current", 0))
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


STEP_KINDS: tuple[Kind, ...] = (
    Kind(
        "a change rounded",
        fields("raw_change adjustment_type"),
        fields("change"),
        check_rounding,
        fits=lambda given, _: given["adjustment_type"] == AdjustmentType.PERCENT,
    ),
    Kind(
        "an adjustment of a capacity",
        fields("adjustment", f"{ASKED} {CAPACITIES}"),
        fields("", RESULTS),
        check_adjustment,
        fits=lambda given, _: not {"current", "desired"}.isdisjoint(given),
    ),
    Kind(
        "a metric's step",
        fields("threshold steps[] metric?"),
        fields("adjustment?"),
        check_metric,
    ),
    Kind(
        "a metric's step and the resulting capacity",
        fields("threshold steps[] metric?", f"{ASKED} {CAPACITIES}"),
        fields("", RESULTS),
        check_metric,
        fits=lambda given, _: not {"current", "desired"}.isdisjoint(given),
    ),
    Kind(
        "a range in which nothing changes",
        fields(
            "threshold out_steps[] in_steps[] metric_range_exclusive[]", f"{ASKED} {CAPACITIES}"
        ),
        fields("", RESULTS),
        check_quiet_range,
    ),
    Kind(
        "an alarm that triggers again while an instance is terminated",
        fields("steps_adjust in_service terminating alarm", f"{ASKED} desired"),
        fields("", RESULTS),
        check_terminating,
        fits=lambda given, _: given["alarm"] == "breaching in the same step",
    ),
    Kind("whether steps are valid", fields("steps[]"), fields("valid", "rule"), check_validity),
    Kind(
        "which warm-up applies",
        fields("", "EstimatedInstanceWarmup DefaultInstanceWarmup DefaultCooldown"),
        fields("effective_warmup_s"),
        check_warmup,
    ),
    Kind(
        "several policies at once",
        fields("policies[]", "current desired min max service"),
        fields("", RESULTS),
        check_several,
        fits=lambda given, _: not {"current", "desired"}.isdisjoint(given),
    ),
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
