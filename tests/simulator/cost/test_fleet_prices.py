"""The prices of a fleet follow its instance type and its kind of queue."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.simulations import bursts, the_template

from tidemill.simulator.cost.bill import dollars_a_day
from tidemill.simulator.cost.fleet_prices import hourly_price, prices_of
from tidemill.simulator.cost.prices import PRICES
from tidemill.simulator.run import simulate


@pytest.mark.parametrize(
    ("name", "usd"),
    [("t4g.small", 0.0168), ("t4g.2xlarge", 0.2688), ("c7a.medium", 0.0513), ("m7g.large", 0.0816)],
)
def test_a_size_costs_twice_as_much_as_the_next_smaller_one(name: str, usd: float) -> None:
    """Prices follow from that of the family's size large."""
    price = hourly_price(name)
    assert price is not None
    assert price.usd == pytest.approx(usd)
    assert price.source


@pytest.mark.parametrize("name", ["x9.large", "t4g.metal", "nonsense"])
def test_a_type_without_a_known_price_has_that_of_the_default(name: str) -> None:
    """docs/simulator.md says so."""
    assert hourly_price(name) is None
    assert prices_of(replace(the_template().fleet, instance_types=(name,))) == PRICES


def test_the_price_of_the_default_type_is_that_of_the_page() -> None:
    """docs/deploy.md has the price of the template's preferred type."""
    assert prices_of(the_template().fleet)["instances"].usd == PRICES["instances"].usd


def test_requests_to_a_fifo_queue_cost_more() -> None:
    """0.50 instead of 0.40 dollars for a million."""
    fleet = the_template(("QueueKind", "fifo")).fleet
    assert prices_of(fleet)["requests"].usd == 0.5


def test_a_fleet_of_larger_instances_costs_more() -> None:
    """A t4g.medium costs twice as much as a t4g.small."""
    bills = []
    for types in ("t4g.small,t4g.medium,c7g.medium", "t4g.medium,t4g.small,c7g.medium"):
        candidate = the_template(("InstanceTypes", types))
        result = simulate(candidate, bursts((0, 30)), seed=1)
        bills.append(dollars_a_day(candidate.fleet, result)["instances"])
    assert bills[1] == pytest.approx(2 * bills[0])
