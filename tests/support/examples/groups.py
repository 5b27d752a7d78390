"""Kinds of AWS's published examples of groups, hooks and queues, and of limits of alarms."""

from __future__ import annotations

from botocore.loaders import Loader
from support.builders.fleets import ABSENT, a_group, accepted, small_template
from support.examples.kind import Expected, Given, Kind, fields

from tidemill.scaling.group.hooks import (
    ABANDON,
    CONTINUE,
    LAUNCHING,
    TERMINATING,
    HookResult,
    extended,
    holds_of,
)
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
from tidemill.scaling.template.group import HEARTBEAT_TIMEOUT, MAX_HOOKS, RETAIN, TERMINATE
from tidemill.scaling.template.policies import MAX_POLICIES
from tidemill.scaling.times.catalogue import USUAL

PROCEEDS = "Pending:Proceed"
REPLACED = "terminated and replaced"
MINUTE, HOUR = 60, 3600


def check_aggregation(given: Given, expected: Expected) -> None:
    """Read policies with each aggregation, without one, and with an unknown one."""
    asked = given["MetricAggregationType"]
    assert aggregation(ABSENT if asked is None else asked) == expected["treated_as"]
    ways = ["Minimum", "Maximum", "Average", "Median"]
    valid = [way for way in ways if accepted(Out__MetricAggregationType=way)]
    assert sorted(expected.get("valid", valid)) == sorted(valid)
    assert [aggregation(way) for way in valid] == valid


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
    assert read.heartbeat_timeout == expected.get("HeartbeatTimeout_s", read.heartbeat_timeout)
    assert read.default_result == expected.get("DefaultResult", read.default_result)
    low, high = expected.get("range_s", HEARTBEAT_TIMEOUT)
    for timeout, allowed in ((low - 1, False), (low, True), (high, True), (high + 1, False)):
        assert (
            accepted(
                Workers__LifecycleHookSpecificationList=[{**hook, "HeartbeatTimeout": timeout}]
            )
            is allowed
        )
    assert expected.get("max_hooks", MAX_HOOKS) == MAX_HOOKS
    for count, allowed in ((MAX_HOOKS, True), (MAX_HOOKS + 1, False)):
        assert accepted(Workers__LifecycleHookSpecificationList=[hook] * count) is allowed


HELD = {LifecycleState.PENDING_WAIT: 1, LifecycleState.TERMINATING_WAIT: 0}
"""The desired capacity of a group whose instance a hook holds in this state."""


def check_hook_result(given: Given, expected: Expected) -> None:
    """Complete a hook with a result, or let it time out, and check the instance."""
    state = LifecycleState(given["state"])
    waiting = Instance("i-1", state, 0, holds=(Hold("example", MINUTE),))
    memory = GroupMemory(HELD[state], (waiting,), launched=1)
    timed_out = given.get("timeout", "result" not in given)
    result = given.get("DefaultResult", ABANDON) if timed_out else given["result"]
    assert result in {CONTINUE, ABANDON}
    hooks = tuple(LifecycleHook("example", way, MINUTE, result) for way in (LAUNCHING, TERMINATING))
    policy = given.get("TerminateHookAbandon", TERMINATE)
    assert policy in {RETAIN, TERMINATE}
    group = a_group(hooks=hooks, retains=policy == RETAIN)
    if timed_out:
        step = expire_hooks(group, memory, MINUTE)
    else:
        step = hook_completed(group, memory, "i-1", 0, HookResult(result))
    follow(step.then(reconcile(group, step.memory, MINUTE)), expected)


def follow(step: Step, expected: Expected) -> None:
    """Compare an instance's last states with the expected ones."""
    first = step.memory.instances[0]
    if expected.get("instance") == REPLACED:
        assert step.terminate == ("i-1",)
        assert step.launch == ("i-00000000000000002",)
    elif "instance" in expected:
        assert step.terminate == ()
        assert expected["instance"] == first.state
    if "next" in expected:
        # The core has no Pending:Proceed, which would last no time: the instance is in service.
        passed = {LifecycleState.IN_SERVICE: PROCEEDS}
        assert passed.get(first.state, first.state) == expected["next"]
    if "then" in expected and first.state is LifecycleState.IN_SERVICE:
        assert first.state == expected["then"]
    elif "then" in expected:
        ended = vanished(step.memory, "i-1", "", MINUTE).facts[-1]
        assert getattr(ended, "state", None) == expected["then"]


def check_heartbeat(given: Given, expected: Expected) -> None:
    """Hold an instance, send a heartbeat at some time, and see when the hold ends."""
    hook = LifecycleHook("example", TERMINATING, given["HeartbeatTimeout_s"], ABANDON)
    held = Instance("i-1", LifecycleState.TERMINATING_WAIT, 0, holds=holds_of((hook,), 0))
    if "heartbeat_at_s" in given:
        held = extended(held, hook, given["heartbeat_at_s"])
    (hold,) = held.holds
    assert expected.get("held_until_s", hold.until) == hold.until
    assert expected.get("global_timeout_s", hold.limit) == hold.limit


def check_states(_: Given, expected: Expected) -> None:
    """Compare the states with those of the API, of which the core has some."""
    model = Loader().load_service_model("autoscaling", "service-2")
    assert set(expected["states"]) == set(model["shapes"]["LifecycleState"]["enum"])
    assert {*LifecycleState} <= {*expected["states"]}


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
    assert expected["published_every_s"] == MINUTE
    (point,) = queue_datapoints("q", woken, used, late - expected["published_every_s"], late)
    assert point.timestamp == late - MINUTE


def check_alarm_limits(_: Given, expected: Expected) -> None:
    """Read alarms with the longest allowed window, and with one period more."""
    limits = expected["max_period_x_evalperiods_s"]
    assert limits.keys() == {"period<3600", "period>=3600"}
    for period, longest in ((MINUTE, limits["period<3600"]), (HOUR, limits["period>=3600"])):
        most, rest = divmod(longest, period)
        assert rest == 0
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


GROUP_KINDS: tuple[Kind, ...] = (
    Kind(
        "how a policy aggregates",
        fields("MetricAggregationType?"),
        fields("treated_as", "valid[]"),
        check_aggregation,
    ),
    Kind(
        "quotas of a group",
        fields(),
        fields("max_step_adjustments max_policies_per_group"),
        check_group_quotas,
    ),
    Kind(
        "a hook's defaults and limits",
        fields(),
        fields("", "HeartbeatTimeout_s range_s[] DefaultResult max_hooks"),
        check_hook_defaults,
        any_of=frozenset({"HeartbeatTimeout_s", "range_s", "DefaultResult", "max_hooks"}),
    ),
    Kind(
        "the result of a hook",
        fields("state", "result timeout DefaultResult TerminateHookAbandon"),
        fields("", "instance next then"),
        check_hook_result,
        fits=lambda given, _: (
            given["state"] in list(HELD) and not {"result", "timeout"}.isdisjoint(given)
        ),
        any_of=frozenset({"instance", "next", "then"}),
    ),
    Kind(
        "how long a hook holds an instance",
        fields("HeartbeatTimeout_s", "heartbeat_at_s"),
        fields("", "held_until_s global_timeout_s"),
        check_heartbeat,
        any_of=frozenset({"held_until_s", "global_timeout_s"}),
    ),
    Kind("the states of an instance", fields(), fields("states[]"), check_states),
    Kind(
        "when a queue's metrics are published",
        fields(),
        fields("published_every_s active_window_h activation_delay_up_to_s"),
        check_queue_rhythm,
    ),
    Kind(
        "how far an alarm looks back",
        fields(),
        fields("max_period_x_evalperiods_s"),
        check_alarm_limits,
    ),
    Kind("an alarm's periods", fields(), fields("valid_period_s"), check_periods),
    Kind("an alarm's actions", fields(), fields("actions_per_list"), check_actions),
)
