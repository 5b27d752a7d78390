"""Target tracking policies to compare with: AWS's expressions, and what follows from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from support.builders.simulations import bursts, simulated, the_template

from tidemill.scaling.facts import DesiredChanged
from tidemill.scaling.group.metrics import group_metric
from tidemill.scaling.metrics.signal import BACKLOG, signal_metric
from tidemill.scaling.policies.tracking import tracking_alarms
from tidemill.scaling.spec import MetricQuery, MetricStat, TargetTrackingPolicy
from tidemill.simulator.comparison.rival_fleet import under
from tidemill.simulator.comparison.tracking_rivals import IN_SERVICE, utilization_tracking
from tidemill.simulator.instances.handling import HandlerTime

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet
    from tidemill.simulator.scenario import Scenario

SLOTS = 10
WORK = bursts((30, 500), seconds=7200, handler=HandlerTime(5.0, 0.3))


def changes(fleet: Fleet, scenario: Scenario) -> list[DesiredChanged]:
    """Return how a fleet's desired capacity changes in a run."""
    _, facts = simulated(replace(the_template(), fleet=fleet), scenario)
    return [fact for fact in facts if isinstance(fact, DesiredChanged)]


def test_repeated_counts_of_messages_in_flight_keep_instances_longer() -> None:
    """SQS publishes no 0 for them, so that the last count is repeated after the last message."""
    fleet = utilization_tracking(the_template().fleet, SLOTS)
    filled = replace(
        fleet,
        alarms=tuple(
            replace(
                alarm,
                queries=tuple(
                    replace(
                        one, expression=one.expression.replace("inFlight, REPEAT", "inFlight, 0")
                    )
                    if one.expression
                    else one
                    for one in alarm.queries
                ),
            )
            for alarm in fleet.alarms
        ),
    )
    repeated, zero = changes(fleet, WORK), changes(filled, WORK)
    assert repeated[-1].after == zero[-1].after == 0
    assert repeated[-1].at - zero[-1].at >= 240


def test_a_capacity_of_a_minute_beside_a_metric_of_ten_seconds_works_by_filling() -> None:
    """AWS's page repeats the group's metric within its minute; out and in both work so."""
    fleet = the_template().fleet
    stats = {
        "m1": MetricStat(signal_metric(fleet.queue.name, BACKLOG), 10, "Sum"),
        "m2": MetricStat(group_metric(fleet.group, IN_SERVICE), 10, "Average"),
    }
    queries = (
        *(MetricQuery(key, stat) for key, stat in stats.items()),
        MetricQuery("e1", expression="m1 / FILL(m2,REPEAT)"),
    )
    policy = TargetTrackingPolicy("Jobs", "jobs", 100, "JobsHigh", "JobsLow")
    alarms = tuple(tracking_alarms(policy, fleet.group.name, queries, "e1"))
    group = replace(fleet.group, metrics=fleet.group.metrics | {IN_SERVICE})
    tracked = under(replace(fleet, group=group), (policy,), alarms, least=1)
    found = changes(replace(tracked, signal_period=10), WORK)
    assert [(one.before, one.after) for one in (found[0], found[-1])] == [(1, 4), (4, 1)]
