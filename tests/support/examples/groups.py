"""Forms of AWS's published examples of groups, step scaling policies, hooks, limits and queues."""

from __future__ import annotations

from typing import Any

from support.builders.alarms import an_alarm
from support.builders.fleets import ABSENT, a_fleet, a_group, a_policy, small_template
from support.examples.lifecycle import LIFECYCLE_SHAPES
from support.examples.shape import Expected, Given, Shape, has
from support.examples.tracking import TRACKING_SHAPES

from tidemill.scaling.alarms.watching import DueAlarm
from tidemill.scaling.errors import TemplateError
from tidemill.scaling.group.capacity import Capacity
from tidemill.scaling.group.hooks import ABANDON, CONTINUE, LAUNCHING, TERMINATING, HookResult
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Hold, Instance, Step
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.transitions import expire_hooks, hook_completed, vanished
from tidemill.scaling.metrics.queue import (
    ACTIVE_SECONDS,
    WAKE_UP_SECONDS,
    QueueActivity,
    QueueSample,
    observe,
    queue_datapoints,
)
from tidemill.scaling.policies.decision import decide
from tidemill.scaling.policies.dispatch import warmup
from tidemill.scaling.policies.step import (
    MAX_STEPS,
    find_step,
    step_outcome,
    step_problems,
    whole_change,
)
from tidemill.scaling.spec import (
    AdjustmentType,
    Comparison,
    LifecycleHook,
    Limits,
    StepAdjustment,
    StepScalingPolicy,
)
from tidemill.scaling.template.fleet import read_fleet
from tidemill.scaling.template.group import MAX_HOOKS
from tidemill.scaling.template.policies import MAX_POLICIES

UNLIMITED = 10**6
LIMITS = {"min", "max"}
ASKED = {"adjustment_type", "min_adjustment_magnitude"} | LIMITS
CAPACITIES = {"current", "desired", "warming", "terminating"}
RESULTS = {"desired", "capacity", "added", "removed", "change", "scaling_activity", "raw_change"}
REPLACED = "terminated and replaced"
MINUTE, HOUR = 60, 3600


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
        "desired": after,
        "capacity": after,
        "added": after - before,
        "removed": before - after,
        "change": after - before,
        "scaling_activity": after != before,
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
        {
            "desired": after,
            "capacity": after,
            "added": after - before,
            "removed": before - after,
            "change": after - before,
            "scaling_activity": after != before,
        },
        expected,
    )


def check_aggregation(given: Given, expected: Expected) -> None:
    """Read policies with each aggregation, without one, and with an unknown one."""
    assert given["MetricAggregationType"] is None
    assert aggregation(ABSENT) == expected["treated_as"]
    for way in expected["valid"]:
        assert aggregation(way) == way
    assert not accepted(Out__MetricAggregationType="Median")


def aggregation(way: object) -> str:
    """Return the aggregation of a policy with these properties."""
    changes = {} if way is ABSENT else {"Out__MetricAggregationType": way}
    (policy,) = read_fleet(small_template(**changes), {}).policies
    assert isinstance(policy, StepScalingPolicy)
    return policy.aggregation


def check_group_quotas(_: Given, expected: Expected) -> None:
    """Compare the quotas of a group."""
    assert expected["max_step_adjustments"] == MAX_STEPS
    assert expected["max_policies_per_group"] == MAX_POLICIES


def check_hook_defaults(_: Given, expected: Expected) -> None:
    """Read a hook with its required properties only, and hooks with values at the bounds."""
    hook = {"LifecycleHookName": "hook", "LifecycleTransition": TERMINATING}
    (read,) = read_fleet(
        small_template(Workers__LifecycleHookSpecificationList=[hook]), {}
    ).group.hooks
    assert read.heartbeat_timeout == expected["HeartbeatTimeout_s"]
    assert read.default_result == expected["DefaultResult"]
    low, high = expected["range_s"]
    for timeout, allowed in ((low - 1, False), (low, True), (high, True), (high + 1, False)):
        assert (
            accepted(
                Workers__LifecycleHookSpecificationList=[{**hook, "HeartbeatTimeout": timeout}]
            )
            is allowed
        )
    assert expected["max_hooks"] == MAX_HOOKS
    for count, allowed in ((MAX_HOOKS, True), (MAX_HOOKS + 1, False)):
        assert accepted(Workers__LifecycleHookSpecificationList=[hook] * count) is allowed


def is_hook_result(given: Given, expected: Expected) -> bool:
    """Return whether a hook ends with a result that the core implements."""
    held = has({"state", "result"})(given) or has({"state", "timeout", "DefaultResult"})(given)
    if not held:
        return False
    if given["state"] == LifecycleState.PENDING_WAIT:
        return expected == {"instance": REPLACED}
    return given["state"] == LifecycleState.TERMINATING_WAIT and has({"next"}, {"then"})(expected)


def check_hook_result(given: Given, expected: Expected) -> None:
    """Complete a hook with each result, or let it time out, and check the instance."""
    state = LifecycleState(given["state"])
    waiting = Instance("i-1", state, 0, holds=(Hold("example", MINUTE),))
    desired = 1 if state is LifecycleState.PENDING_WAIT else 0
    memory = GroupMemory(desired, (waiting,), launched=1)
    results = given.get("result", given.get("DefaultResult"))
    for result in results if isinstance(results, list) else [results]:
        assert result in {CONTINUE, ABANDON}
        hooks = tuple(
            LifecycleHook("example", way, MINUTE, result) for way in (LAUNCHING, TERMINATING)
        )
        group = a_group(hooks=hooks)
        if given.get("timeout"):
            step = expire_hooks(group, memory, MINUTE)
        else:
            step = hook_completed(group, memory, "i-1", 0, HookResult(result))
        follow(step.then(reconcile(group, step.memory, MINUTE)), expected)


def follow(step: Step, expected: Expected) -> None:
    """Compare an instance's last states with the expected ones."""
    first = step.memory.instances[0]
    assert step.terminate == ("i-1",)
    if expected == {"instance": REPLACED}:
        assert step.launch == ("i-00000000000000002",)
        return
    assert first.state == expected["next"]
    ended = vanished(step.memory, "i-1", "", MINUTE).facts[-1]
    assert getattr(ended, "state", None) == expected.get("then", LifecycleState.TERMINATED)


def check_queue_rhythm(_: Given, expected: Expected) -> None:
    """Make a queue inactive and active again."""
    empty, used = QueueSample(0, 0), QueueSample(1, 0)
    new = QueueActivity.of_new_queue(0)
    last = expected["active_window_h"] * HOUR
    assert last == ACTIVE_SECONDS
    assert list(queue_datapoints("q", new, empty, last - MINUTE, last))
    assert not list(queue_datapoints("q", new, empty, last, last + 1))
    woken = observe(new, used, last + 1)
    late = last + 1 + expected["activation_delay_up_to_s"]
    assert late == last + 1 + WAKE_UP_SECONDS
    assert not list(queue_datapoints("q", woken, used, late - MINUTE, late - 1))
    (point,) = queue_datapoints("q", woken, used, late - expected["published_every_s"], late)
    assert point.timestamp == late - MINUTE


def accepted(**changes: object) -> bool:
    """Return whether the small template is accepted with these changes."""
    try:
        read_fleet(small_template(**changes), {})
    except TemplateError:
        return False
    return True


def check_alarm_limits(_: Given, expected: Expected) -> None:
    """Read alarms with the longest allowed window, and with one period more."""
    limits = expected["max_period_x_evalperiods_s"]
    for period, longest in ((MINUTE, limits["period<3600"]), (HOUR, limits["period>=3600"])):
        most = longest // period
        for periods, allowed in ((most, True), (most + 1, False)):
            changes = {"High__Period": period, "High__EvaluationPeriods": periods}
            assert accepted(**changes) is allowed


def check_periods(_: Given, expected: Expected) -> None:
    """Read alarms with allowed periods, and with others."""
    assert expected["valid_period_s"] == "10, 20, 30, or any multiple of 60"
    for period in (10, 20, 30, MINUTE, 5 * MINUTE, HOUR):
        assert accepted(High__Period=period)
    for period in (0, 1, 15, 40, 90, HOUR + 1):
        assert not accepted(High__Period=period)


def check_actions(_: Given, expected: Expected) -> None:
    """Read alarms with the allowed number of actions, and with one more."""
    most = expected["actions_per_list"]
    topics = [f"arn:topic-{number}" for number in range(most)]
    assert accepted(High__AlarmActions=[*topics[1:], {"Ref": "Out"}])
    assert not accepted(High__AlarmActions=[*topics, {"Ref": "Out"}])


def nothing_but(*names: str) -> Any:  # noqa: ANN401 - a predicate of a shape
    """Return whether an example has no input and expects exactly these names."""
    return lambda given, expected: not given and expected.keys() == set(names)


GROUP_SHAPES: tuple[Shape, ...] = (
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
    Shape(
        "how a policy aggregates",
        lambda given, expected: (
            has({"MetricAggregationType"})(given) and has({"treated_as", "valid"})(expected)
        ),
        check_aggregation,
    ),
    Shape(
        "quotas of a group",
        nothing_but("max_step_adjustments", "max_policies_per_group"),
        check_group_quotas,
    ),
    Shape(
        "a hook's defaults and limits",
        nothing_but("HeartbeatTimeout_s", "range_s", "DefaultResult", "max_hooks"),
        check_hook_defaults,
    ),
    Shape("the result of a hook", is_hook_result, check_hook_result),
    Shape(
        "when a queue's metrics are published",
        nothing_but("published_every_s", "active_window_h", "activation_delay_up_to_s"),
        check_queue_rhythm,
    ),
    Shape(
        "how far an alarm looks back", nothing_but("max_period_x_evalperiods_s"), check_alarm_limits
    ),
    Shape("an alarm's periods", nothing_but("valid_period_s"), check_periods),
    Shape("an alarm's actions", nothing_but("actions_per_list"), check_actions),
    *LIFECYCLE_SHAPES,
    *TRACKING_SHAPES,
)
