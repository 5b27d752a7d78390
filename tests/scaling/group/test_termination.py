"""Termination policies: the instance that each of them chooses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.fleets import a_group

from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import GroupMemory, Instance
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.termination import choose_for_termination

NOW = 100_000.0


def an_instance(name: str, age: float = 1000, zone: str = "", outdated: int = 0) -> Instance:
    """Return an instance in service, of this age in seconds."""
    return Instance(name, LifecycleState.IN_SERVICE, NOW - age, NOW, zone=zone, outdated=outdated)


A = an_instance("a", age=3500)
B = an_instance("b", age=5000, outdated=1)
C = an_instance("c", age=300, outdated=2)
THREE = (A, B, C)


@pytest.mark.parametrize(
    ("policies", "victim"),
    [
        (("Default",), "c"),
        (("OldestInstance",), "b"),
        (("NewestInstance",), "c"),
        (("OldestLaunchTemplate",), "c"),
        (("OldestLaunchConfiguration", "Default"), "c"),
        (("ClosestToNextInstanceHour",), "a"),
        (("AllocationStrategy", "NewestInstance"), "c"),
        (("AllocationStrategy",), "b"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_policies_choose_in_their_order(policies: tuple[str, ...], victim: str) -> None:
    """A policy that is not modelled leaves the choice to the next; the oldest is the last."""
    assert choose_for_termination(GroupMemory(2, THREE), policies, NOW).id == victim


def test_a_policy_breaks_the_tie_of_the_one_before() -> None:
    """Of two instances of the same template the newer one is terminated."""
    old, new = an_instance("old", 900, outdated=2), an_instance("new", 10, outdated=2)
    memory = GroupMemory(2, (A, old, new))
    assert (
        choose_for_termination(memory, ("OldestLaunchTemplate", "NewestInstance"), NOW).id == "new"
    )


def test_the_default_policy_prefers_the_instance_closest_to_its_billing_hour() -> None:
    """Of two instances of one template, the one of 50 minutes is closer than that of 70."""
    late, early = an_instance("late", 70 * 60), an_instance("early", 50 * 60)
    memory = GroupMemory(1, (late, early))
    assert choose_for_termination(memory, ("Default",), NOW).id == "early"
    outdated = GroupMemory(1, (replace(late, outdated=1), early))
    assert choose_for_termination(outdated, ("Default",), NOW).id == "late"


def test_balanced_zones_are_considered_together() -> None:
    """If the zones are balanced, the termination policy applies to the instances of all."""
    zones = tuple(an_instance(name, age, name) for name, age in (("a", 60), ("b", 90), ("c", 30)))
    for policy, victim in (("OldestInstance", "b"), ("NewestInstance", "c")):
        assert choose_for_termination(GroupMemory(2, zones), (policy,), NOW).id == victim


def test_a_protected_instance_is_passed_over_in_its_zone() -> None:
    """The fullest zone keeps its place if it has an instance that is not protected."""
    first, second = an_instance("x", 100, "a"), an_instance("y", 200, "a")
    memory = GroupMemory(2, (first, replace(second, protected=True), an_instance("z", 900, "b")))
    assert choose_for_termination(memory, ("OldestInstance",), NOW).id == "x"


def test_the_zone_with_the_most_instances_gives_one() -> None:
    """The zone comes before all termination policies."""
    first, second = an_instance("x", 10, zone="a"), an_instance("y", 20, zone="a")
    other = an_instance("z", 9000, zone="b", outdated=5)
    assert (
        choose_for_termination(GroupMemory(2, (first, second, other)), ("Default",), NOW).id == "y"
    )
    protected = (replace(first, protected=True), replace(second, protected=True), other)
    assert choose_for_termination(GroupMemory(2, protected), ("Default",), NOW).id == "z"


def test_an_unhealthy_instance_goes_before_all_others() -> None:
    """Termination policies are not asked about it."""
    sick = replace(A, unhealthy="a user health-check")
    assert choose_for_termination(GroupMemory(2, (sick, B, C)), ("NewestInstance",), NOW).id == "a"


def test_the_group_goes_by_its_own_policies() -> None:
    """Scale-in terminates the instance that the group's policies choose."""
    group = a_group(termination=("NewestInstance",))
    assert reconcile(group, GroupMemory(2, THREE), NOW).terminate == ("c",)
