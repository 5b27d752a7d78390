"""Forms of AWS's published examples of groups, hooks and queues, and of limits of alarms."""

from __future__ import annotations

from support.builders.fleets import ABSENT, a_group, accepted, small_template
from support.examples.lifecycle import LIFECYCLE_SHAPES
from support.examples.shape import Expected, Given, Shape, has, nothing_but
from support.examples.steps import STEP_SHAPES
from support.examples.tracking import TRACKING_SHAPES

from tidemill.scaling.group.hooks import ABANDON, CONTINUE, LAUNCHING, TERMINATING, HookResult
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Hold, Instance, Step
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.transitions import expire_hooks, hook_completed, vanished
from tidemill.scaling.metrics.queue import (
    ACTIVE_SECONDS,
    QueueActivity,
    QueueSample,
    observe,
    queue_datapoints,
)
from tidemill.scaling.policies.step import MAX_STEPS
from tidemill.scaling.spec import LifecycleHook, StepScalingPolicy
from tidemill.scaling.template.fleet import read_fleet
from tidemill.scaling.template.group import MAX_HOOKS
from tidemill.scaling.template.policies import MAX_POLICIES
from tidemill.scaling.times.catalogue import USUAL

REPLACED = "terminated and replaced"
MINUTE, HOUR = 60, 3600


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
    new = QueueActivity.of_new_queue(0, USUAL.wake_up.mean)
    last = expected["active_window_h"] * HOUR
    assert last == ACTIVE_SECONDS
    assert list(queue_datapoints("q", new, empty, last - MINUTE, last))
    assert not list(queue_datapoints("q", new, empty, last, last + 1))
    woken = observe(new, used, last + 1)
    late = last + 1 + expected["activation_delay_up_to_s"]
    assert late == last + 1 + USUAL.wake_up.mean
    assert not list(queue_datapoints("q", woken, used, late - MINUTE, late - 1))
    (point,) = queue_datapoints("q", woken, used, late - expected["published_every_s"], late)
    assert point.timestamp == late - MINUTE


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


GROUP_SHAPES: tuple[Shape, ...] = (
    *STEP_SHAPES,
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
