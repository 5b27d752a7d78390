"""Late datapoints of one metric: the template's expression does not take them for an empty queue.

Each test has the same fleet without that part of the expression, or with a shorter HoldSeconds, as
a control: there the fault does harm.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from support.builders.simulations import bursts, simulated, the_template

from tidemill.scaling.facts import DesiredChanged
from tidemill.scaling.fault_kinds import METRICS_LATE
from tidemill.scaling.faults import Fault
from tidemill.simulator.instances.handling import HandlerTime

if TYPE_CHECKING:
    from tidemill.simulator.candidate import Candidate
    from tidemill.simulator.scenario import Scenario

LOAD = bursts((30, 500), handler=HandlerTime(4.0), seconds=7200)


def late(target: str | None, minutes: float) -> Scenario:
    """Return the load, with metrics that are late from the fifth minute on."""
    given = {"late_minutes": minutes}
    return replace(LOAD, faults=(Fault(METRICS_LATE.name, target, 300.0, given),))


def without_if(candidate: Candidate) -> Candidate:
    """Return the fleet with alarms that count a missing datapoint of visible messages as 0."""
    alarms = tuple(
        replace(
            alarm,
            queries=tuple(
                replace(query, expression="load") if query.id == "needed" else query
                for query in alarm.queries
            ),
        )
        for alarm in candidate.fleet.alarms
    )
    return replace(candidate, fleet=replace(candidate.fleet, alarms=alarms))


def sizes(candidate: Candidate, scenario: Scenario) -> list[int]:
    """Return the desired capacities of a run."""
    _, facts = simulated(candidate, scenario)
    return [fact.after for fact in facts if isinstance(fact, DesiredChanged)]


def test_visible_messages_a_minute_late_do_not_change_the_size() -> None:
    """Even with one minute of hold the group only falls, a minute later than usual."""
    ours = the_template(("HoldSeconds", "60"))
    usual = sizes(ours, LOAD)
    assert usual == sorted(usual, reverse=True)
    assert sizes(ours, late("visible", 1)) == usual
    other = sizes(without_if(ours), late("visible", 1))
    assert other != sorted(other, reverse=True)


def test_metrics_five_minutes_late_are_still_seen() -> None:
    """A range of three periods of two minutes holds them, one of three minutes does not."""
    assert sizes(the_template(), late(None, 5))[-1] == 0
    ends = []
    for hold in ("120", "60"):
        _, facts = simulated(the_template(("HoldSeconds", hold)), late(None, 5))
        ends.append(max(fact.at for fact in facts if isinstance(fact, DesiredChanged)))
    with_two_minutes, with_one = ends
    assert with_one - with_two_minutes > 1800  # after the fault, which lasts an hour
