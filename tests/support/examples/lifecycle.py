"""Kinds of AWS's published examples of hooks, health, termination, warm pools and cooldowns.

The module is over 280 lines because it has a check for each kind, and the table of the kinds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from support.builders.alarms import an_alarm
from support.builders.fleets import DRAIN, a_fleet, a_group, a_policy, small_template
from support.examples.kind import Expected, Given, Kind, fields

from tidemill.rig.autoscaling.answers import show_instance
from tidemill.rig.autoscaling.ports import GroupView
from tidemill.scaling.alarms.watching import DueAlarm
from tidemill.scaling.errors import TemplateError
from tidemill.scaling.facts import ActivityStarted
from tidemill.scaling.group.health import healthy_range
from tidemill.scaling.group.hooks import HookResult
from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import Cooldown, GroupMemory, Instance
from tidemill.scaling.group.reconcile import reconcile, replace_unhealthy
from tidemill.scaling.group.termination import choose_for_termination
from tidemill.scaling.group.transitions import hook_completed, vanished
from tidemill.scaling.group.warm_pool import pool_size
from tidemill.scaling.policies.decision import decide
from tidemill.scaling.policies.schedule import first_due, run_due
from tidemill.scaling.policies.simple import why_wait
from tidemill.scaling.requests.apply import apply
from tidemill.scaling.requests.commands import SetInstanceHealth
from tidemill.scaling.spec import MaintenancePolicy, ScheduledAction, StepAdjustment, WarmPool
from tidemill.scaling.template.fleet import read_fleet
from tidemill.scaling.times.catalogue import USUAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NOW = 10_000.0
SCALE_IN = "scale in"
NOT_RUNNING = ("stopping", "stopped", "shutting-down", "terminated")
WAITS = ["scaling activity or health check replacement in progress", "cooldown"]
STARTS = "when the last instance finishes launching or terminating"
SICK = "an EC2 instance status check failure"
TEMPLATE_RANKS = {
    "launched from a launch configuration": 3,
    "launched from a different launch template than the current one": 2,
    "oldest version of the current launch template": 1,
}
ORDER = [*TEMPLATE_RANKS, "closest to next billing hour", "random"]
"""AWS's default policy within a zone; of its last two parts, the core has the oldest instance."""


def serving(count: int, **changes: object) -> GroupMemory:
    """Return a group of so many instances in service, each with these changes."""
    instances = tuple(
        replace(Instance(f"i-{number}", LifecycleState.IN_SERVICE, number, 0), **changes)  # type: ignore[arg-type]  # fields of any kind
        for number in range(count)
    )
    return GroupMemory(count, instances, launched=count)


def after_alarm(memory: GroupMemory, change: int) -> GroupMemory:
    """Return the group after an alarm's policy has requested a change."""
    steps = (StepAdjustment(0, None, change),)
    fleet = a_fleet((a_policy(steps=steps),), (), a_group(max_size=100))
    alarm = an_alarm(threshold=0.0, actions=("OutPolicy",))
    return decide(fleet, memory, {}, [DueAlarm(alarm, 1.0, {})], NOW).group


def check_spot(given: Given, expected: Expected) -> None:
    """Interrupt an instance while a hook holds it for longer than the notice lasts."""
    assert given["spot_interruption"] is True
    assert given["hook"] == LifecycleState.TERMINATING_WAIT
    notice = expected["forced_termination_after_s"]
    assert USUAL.spot_warning.mean == notice < DRAIN.heartbeat_timeout
    held = reconcile(a_group(hooks=(DRAIN,)), replace(serving(1), desired=0), NOW)
    assert [item.state for item in held.memory.instances] == [given["hook"]]
    assert vanished(held.memory, "i-0", "", NOW + notice).memory.instances == ()


def check_remaining_hooks(given: Given, expected: Expected) -> None:
    """Complete the first of several hooks, and compare whether the group waits for the others."""
    hooks = tuple(replace(DRAIN, name=str(number)) for number in range(given["hooks"]))
    group = a_group(hooks=hooks)
    held = reconcile(group, replace(serving(1), desired=0), NOW)
    step = hook_completed(group, held.memory, "i-0", NOW, HookResult(given["first_result"], "0"))
    assert bool(step.memory.instances[0].holds) is expected["remaining_hooks_run"]


def check_all_protected(given: Given, expected: Expected) -> None:
    """Scale in a group in which every instance is protected."""
    assert given["all_protected"] is True
    before = serving(2, protected=True)
    after = after_alarm(before, -1)
    assert expected.get("desired", "decremented") == "decremented"
    assert after.desired == before.desired - 1
    step = reconcile(a_group(), after, NOW)
    assert expected.get("terminated", 0) == len(step.terminate)
    (fact,) = step.facts
    assert isinstance(fact, ActivityStarted)
    assert expected.get("activity_message", fact.description) == fact.description


def check_zone(given: Given, expected: Expected) -> None:
    """Choose an instance by zones, then by launch templates."""
    instances = tuple(
        Instance(f"{zone}{number}", LifecycleState.IN_SERVICE, number, 0, zone=zone)
        for zone, count in given["azs"].items()
        for number in range(count)
    )
    memory = GroupMemory(len(instances), instances)
    assert choose_for_termination(memory).zone == expected["az_chosen"]
    assert expected.get("then", ORDER) == ORDER
    ranks = list(TEMPLATE_RANKS.values())
    assert ranks == sorted(ranks, reverse=True)
    aged = tuple(
        Instance(f"i-{rank}", LifecycleState.IN_SERVICE, rank, 0, outdated=rank)
        for rank in (0, *ranks)
    )
    while len(aged) > 1:
        victim = choose_for_termination(GroupMemory(len(aged), aged))
        assert victim.outdated == max(item.outdated for item in aged)
        aged = tuple(item for item in aged if item != victim)


def check_worked_termination(given: Given, expected: Expected) -> None:
    """Scale in by one, with instances of several zones and templates."""
    instances = tuple(
        Instance(
            name,
            LifecycleState.IN_SERVICE,
            0,
            0,
            zone=zone,
            outdated=int(given["templates"][name] == "old"),
        )
        for zone, names in given["azs"].items()
        for name in names
    )
    memory = GroupMemory(len(instances) - 1, instances)
    assert reconcile(a_group(), memory, NOW).terminate == (expected["terminated"],)


def check_not_running(given: Given, expected: Expected) -> None:
    """Remove an instance within the grace period."""
    assert expected["marked"] == "Unhealthy immediately, also in the grace period"
    group = a_group(grace=300)
    assert given["ec2_state"] in NOT_RUNNING
    step = vanished(serving(1, in_service_at=NOW), "i-0", given["ec2_state"], NOW)
    assert step.memory.instances == ()
    assert len(reconcile(group, step.memory, NOW).launch) == 1


def check_replacement_rate(given: Given, expected: Expected) -> None:
    """Mark every instance as unhealthy and count those that are terminated at once."""
    step = replace_unhealthy(a_group(), serving(given["desired"], unhealthy=SICK), NOW)
    assert len(step.terminate) == expected["max_replaced_at_a_time"]


def check_grace(_: Given, expected: Expected) -> None:
    """Read a group without a grace period: its default differs from that of the console."""
    assert read_fleet(small_template(), {}).group.grace == expected["api_cfn_cli_s"]


def check_healthy_range(given: Given, expected: Expected) -> None:
    """Compute how many instances a maintenance policy leaves."""
    policy = MaintenancePolicy(given["min_healthy_pct"], given["max_healthy_pct"])
    low, high = healthy_range(policy, given["desired"])
    assert expected.get("min_instances", low) == low
    assert expected.get("max_instances", high) == high


def check_maintenance_limits(_: Given, expected: Expected) -> None:
    """Read maintenance policies with values at the bounds, and beyond them."""
    (least, most), (lowest, highest) = expected["min"], expected["max"]
    apart = expected["max_difference"]
    for low, high, allowed in (
        (least, lowest, True),
        (most, highest, True),
        (least - 1, lowest, False),
        (most + 1, highest, False),
        (most, highest + 1, False),
        (most, lowest - 1, False),
        (most - apart, most, True),
        (most - apart, most + 1, False),
    ):
        policy = {"MinHealthyPercentage": low, "MaxHealthyPercentage": high}
        try:
            read_fleet(small_template(Workers__InstanceMaintenancePolicy=policy), {})
        except TemplateError:
            assert not allowed, policy
        else:
            assert allowed, policy


def check_pool_size(given: Given, expected: Expected) -> None:
    """Compute how many instances wait in a warm pool."""
    pool = WarmPool(max_prepared=given.get("max_prepared"))
    group = a_group(max_size=given["max"], warm_pool=pool)
    assert pool_size(group, GroupMemory(given["desired"])) == expected["warm_pool_size"]


def scales_out(suspended: Mapping[str, float]) -> bool:
    """Return whether an alarm leads to a launch."""
    after = after_alarm(replace(serving(1), suspended=suspended), 1)
    return bool(reconcile(a_group(), after, NOW).launch)


def scales_in(suspended: Mapping[str, float]) -> bool:
    """Return whether an alarm leads to a termination."""
    after = after_alarm(replace(serving(2), suspended=suspended), -1)
    return bool(reconcile(a_group(), after, NOW).terminate)


def invokes_policies(suspended: Mapping[str, float]) -> bool:
    """Return whether an alarm changes the desired capacity."""
    return after_alarm(replace(serving(1), suspended=suspended), 1).desired == 2


def marks(suspended: Mapping[str, float]) -> bool:
    """Return whether the group removes an instance that is gone, or at least calls it unhealthy."""
    memory = vanished(replace(serving(1), suspended=suspended), "i-0", "", NOW).memory
    view = GroupView(a_fleet(), memory, (), NOW)
    return all(show_instance(view, one)["HealthStatus"] == "Unhealthy" for one in memory.instances)


def replaces_marked(suspended: Mapping[str, float]) -> bool:
    """Return whether an instance that a user has marked is replaced."""
    command = SetInstanceHealth("i-0", unhealthy=True)
    memory = apply(a_fleet(), replace(serving(1), suspended=suspended), command, NOW).memory
    return bool(replace_unhealthy(a_group(), memory, NOW).terminate)


def refreshes(_: Mapping[str, float]) -> bool:
    """Return that no instance is ever refreshed: instance refresh is not modelled."""
    return False


def replacement(suspended: Mapping[str, float]) -> str:
    """Return what the group does with an unhealthy instance."""
    memory = replace(serving(1, unhealthy=SICK), suspended=suspended)
    step = replace_unhealthy(a_group(), memory, NOW)
    if not step.terminate:
        return "neither terminates nor replaces"
    waiting = reconcile(a_group(), step.memory, NOW)
    resumed = reconcile(a_group(), replace(waiting.memory, suspended={}), NOW)
    if waiting.launch or not resumed.launch:
        return "terminates and replaces"
    return "terminates but does not replace until resumed"


def resumption(suspended: Mapping[str, float]) -> str:
    """Return what an alarm still in ALARM does when its process is resumed."""
    memory = after_alarm(replace(serving(1), suspended=suspended), 1)
    considered = after_alarm(replace(memory, suspended={}), 1).desired == memory.desired + 1
    return "considers policies whose alarms are in breach then" if considered else "nothing"


def runs_scheduled(suspended: Mapping[str, float], before: int = 1, after: int = 2) -> bool:
    """Return whether a scheduled action changes the number of instances."""
    action = ScheduledAction("Scheduled", "scheduled", desired=after, start=NOW)
    fleet = replace(a_fleet(), scheduled=(action,))
    memory = replace(serving(before), suspended=suspended)
    step, _ = run_due(fleet, memory, first_due(fleet, NOW - 1), NOW)
    step = reconcile(a_group(), step.memory, NOW)
    return bool(step.launch or step.terminate)


def health_check(suspended: Mapping[str, float]) -> str:
    """Return whether health checks mark instances, in the page's words."""
    return "active" if marks(suspended) else "inactive"


IN_OTHER_WORDS = {"inactive": "neither terminates nor replaces"}
"""Words of the page for what a process does with an unhealthy instance."""

SUSPENDED: dict[str, Callable[[Mapping[str, float]], object]] = {
    "alarm_scale_out": scales_out,
    "alarm_scale_in": scales_in,
    "policies_invoked": invokes_policies,
    "EC2_ELB_marking": marks,
    "custom_health_checks": replaces_marked,
    "HealthCheck": health_check,
    "InstanceRefresh": refreshes,
    "ReplaceUnhealthy": replacement,
    "on_resume": resumption,
    "scheduled_actions": runs_scheduled,
    "scheduled_scale_in": lambda suspended: runs_scheduled(suspended, 2, 1),
    "scheduled_scale_out": runs_scheduled,
}
"""The expectations about suspended processes, by their names in examples."""


def check_suspended(given: Given, expected: Expected) -> None:
    """Try what a suspended process forbids, and what it does not."""
    suspended = dict.fromkeys(given["suspended"], 0.0)
    for name, wanted in expected.items():
        told = IN_OTHER_WORDS.get(wanted, wanted) if name == "ReplaceUnhealthy" else wanted
        assert SUSPENDED[name](suspended) == told, name


def check_cooldown(_: Given, expected: Expected) -> None:
    """Make a simple scaling policy wait for activities and for the cooldown."""
    default = a_group().default_cooldown
    assert expected.get("default_s", default) == default
    assert expected.get("waits_for", WAITS) == WAITS
    pending = GroupMemory(1, (Instance("i-1", LifecycleState.PENDING, 0),))
    cooling = GroupMemory(0, cooldown=Cooldown(None, NOW))
    assert "in progress" in why_wait(a_group(), pending, NOW)
    assert "the cooldown lasts until" in why_wait(a_group(), cooling, NOW + 299)
    assert not why_wait(a_group(), cooling, NOW + 300)
    assert expected.get("cooldown_starts", STARTS) == STARTS
    leaving = serving(2, state=LifecycleState.TERMINATING_PROCEED)
    step = vanished(replace(leaving, cooldown=Cooldown(300, 0)), "i-0", "", NOW)
    assert step.memory.cooldown == Cooldown(300, NOW)
    step = vanished(step.memory, "i-1", "", NOW + 5)
    assert step.memory.cooldown == Cooldown(300, NOW + 5, open=False)


LIFECYCLE_KINDS: tuple[Kind, ...] = (
    Kind(
        "the first of several hooks",
        fields("hooks first_result"),
        fields("remaining_hooks_run"),
        check_remaining_hooks,
    ),
    Kind(
        "an interruption while a hook holds an instance",
        fields("spot_interruption hook"),
        fields("forced_termination_after_s"),
        check_spot,
    ),
    Kind(
        "a scale-in with all instances protected",
        fields("all_protected event"),
        fields("", "desired terminated activity_message"),
        check_all_protected,
        fits=lambda given, _: str(given["event"]).startswith("scale in"),
        any_of=frozenset({"desired", "terminated", "activity_message"}),
    ),
    Kind(
        "the zone that gives an instance",
        fields("azs", "event"),
        fields("az_chosen", "then[]"),
        check_zone,
    ),
    Kind(
        "the instance that goes",
        fields("azs templates", "event"),
        fields("terminated"),
        check_worked_termination,
        fits=lambda given, _: str(given.get("event", SCALE_IN)).startswith(SCALE_IN),
    ),
    Kind(
        "an instance that does not run",
        fields("ec2_state"),
        fields("marked"),
        check_not_running,
    ),
    Kind(
        "how many are replaced at a time",
        fields("desired"),
        fields("max_replaced_at_a_time"),
        check_replacement_rate,
    ),
    Kind(
        "the grace period",
        fields(),
        fields("api_cfn_cli_s"),
        check_grace,
        aside={"console_s": "the console's default; nothing here uses the console"},
    ),
    Kind(
        "what a maintenance policy leaves",
        fields("min_healthy_pct max_healthy_pct desired"),
        fields("", "min_instances max_instances"),
        check_healthy_range,
        any_of=frozenset({"min_instances", "max_instances"}),
    ),
    Kind(
        "the limits of a maintenance policy",
        fields(),
        fields("min[] max[] max_difference"),
        check_maintenance_limits,
    ),
    Kind(
        "the size of a warm pool",
        fields("desired max", "max_prepared"),
        fields("warm_pool_size"),
        check_pool_size,
    ),
    Kind(
        "suspended processes",
        fields("suspended[]"),
        fields("", " ".join(SUSPENDED)),
        check_suspended,
        any_of=frozenset(SUSPENDED),
    ),
    Kind(
        "what a simple scaling policy waits for",
        fields("policy"),
        fields("", "waits_for[] cooldown_starts default_s"),
        check_cooldown,
        fits=lambda given, _: given["policy"] == "SimpleScaling",
        any_of=frozenset({"waits_for", "cooldown_starts", "default_s"}),
    ),
)
