"""The bill of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.builders.simulations import bursts, the_template

from tidemill.simulator.cost.bill import dollars_a_day, instance_seconds_dollars
from tidemill.simulator.cost.prices import HOST_METRICS, HOURS, PRICES, WORKLOAD_METRICS
from tidemill.simulator.run import simulate

if TYPE_CHECKING:
    from tidemill.simulator.result import Result


def a_result() -> Result:
    """Return the result of a small run of a day."""
    return simulate(the_template(), bursts((0, 30), seconds=86_400), seed=1)


def test_twice_the_instances_cost_twice_as_much() -> None:
    """Dollars are billed hours times the price of the table."""
    result = a_result()
    instances = result.instances
    twice = replace(instances, billed_seconds=2 * instances.billed_seconds)
    double = replace(result, instances=twice)
    fleet = the_template().fleet
    one, two = dollars_a_day(fleet, result), dollars_a_day(fleet, double)
    assert two["instances"] == pytest.approx(2 * one["instances"])
    assert one["instances"] == pytest.approx(
        result.instances.billed_seconds / 3600 * PRICES["instances"].usd
    )
    assert instance_seconds_dollars(3600) > PRICES["instances"].usd


@pytest.mark.parametrize(
    ("hours", "counted"), [((0.1, 0.5), 1), ((0.1, 5.5), 2), ((0.95,), 2)], ids=str
)
def test_the_workers_metrics_are_paid_for_by_the_hour(
    hours: tuple[float, ...], counted: int
) -> None:
    """Every hour of the clock in which an instance runs is charged once."""
    scenario = bursts(*((hour * 3600, 50) for hour in hours), seconds=86_400)
    result = simulate(the_template(), scenario, seed=1)
    assert (len(result.instances.hours), result.instances.peak) == (counted, 3)
    price = PRICES["metrics"].usd / HOURS * (WORKLOAD_METRICS + HOST_METRICS)
    assert dollars_a_day(the_template().fleet, result)["metrics"] == pytest.approx(
        counted * price, rel=0.01
    )


def test_alarms_and_the_signal_are_paid_for_whether_there_is_work_or_not() -> None:
    """The fast signal adds high-resolution alarms, a function and a schedule to the bill."""
    result = a_result()
    plain = dollars_a_day(the_template().fleet, result)
    fast = dollars_a_day(the_template(("FastSignal", "true")).fleet, result)
    assert plain["alarms"] == fast["alarms"] > 0
    assert (plain["fast alarms"], plain.get("duration", 0)) == (0, 0)
    assert min(fast["fast alarms"], fast["duration"], fast["schedule"]) > 0
