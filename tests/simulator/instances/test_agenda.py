"""Planned events of simulated instances."""

from __future__ import annotations

from heapq import heappop

from tidemill.simulator.instances.agenda import NO_INSTANCE, Agenda
from tidemill.simulator.instances.instance import SimulatedInstance


def nothing(_: SimulatedInstance, __: float) -> None:
    """Do nothing."""


def something(_: SimulatedInstance, __: float) -> None:
    """Do nothing either."""


def test_events_are_ordered_by_moment_and_then_as_they_were_planned() -> None:
    """Events are ordered by moment, then by the order of planning."""
    agenda = Agenda()
    for at, act in ((2.0, something), (1.0, something), (2.0, nothing), (1.0, nothing)):
        agenda.plan(at, act, NO_INSTANCE)
    order = [heappop(agenda.events) for _ in range(4)]
    assert [(at, act) for at, _, act, _, _ in order] == [
        (1.0, something),
        (1.0, nothing),
        (2.0, something),
        (2.0, nothing),
    ]


def test_only_a_step_depends_on_what_the_consumer_does_meanwhile() -> None:
    """A step keeps its number; other events have none."""
    agenda, instance = Agenda(), SimulatedInstance("i-1", step=3)
    agenda.plan(1.0, nothing, instance)
    agenda.plan_step(1.0, nothing, instance)
    assert [step for *_, step in sorted(agenda.events, key=lambda event: event[1])] == [None, 3]
