"""The figures of a run: percentiles, and what it costs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.builders.stories import bursts, the_template

from tidemill.simulator.cost.bill import dollars_a_day, instance_seconds_dollars
from tidemill.simulator.cost.prices import HOST_METRICS, HOURS, PRICES, WORKLOAD_METRICS
from tidemill.simulator.run import simulate
from tidemill.simulator.run_figures import run_figures
from tidemill.simulator.waits import mean, percentiles

if TYPE_CHECKING:
    from tidemill.simulator.result import Result


def a_result() -> Result:
    """Return the result of a small run of a day."""
    return simulate(the_template(), bursts((0, 30), seconds=86_400), seed=1)


@pytest.mark.parametrize(
    ("waits", "found"),
    [
        pytest.param({10: 1}, (1.0, 1.0, 1.0, 1.0), id="one message"),
        pytest.param({10: 50, 20: 45, 30: 4, 40: 1}, (1.0, 2.0, 3.0, 4.0), id="nearest rank"),
        pytest.param({}, (None, None, None, None), id="none"),
    ],
)
def test_percentiles_are_those_of_the_nearest_rank(
    waits: dict[int, int], found: tuple[float | None, ...]
) -> None:
    """So many messages waited at most so long."""
    assert tuple(percentiles(Counter(waits)).values()) == found


def test_the_mean_is_over_all_messages() -> None:
    """In seconds; of no message there is none."""
    assert mean(Counter({10: 1, 30: 3})) == pytest.approx(2.5)
    assert mean(Counter()) is None


def test_figures_account_for_every_message() -> None:
    """What the command prints adds up."""
    candidate, story = the_template(), bursts((0, 30), poison=0.3)
    found = run_figures(candidate, story, 1, simulate(candidate, story, 1))
    assert found["lost"] == 0
    assert found["sent"] == 30
    assert {**found}["processed"] == 30 - int(str(found["dead_lettered"]))


def test_twice_the_instances_cost_twice_as_much() -> None:
    """Dollars follow billed seconds, by the price table."""
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
    """Each hour of the clock in which an instance runs, however short and with how many others."""
    story = bursts(*((hour * 3600, 50) for hour in hours), seconds=86_400)
    result = simulate(the_template(), story, seed=1)
    assert (len(result.instances.hours), result.instances.peak) == (counted, 3)
    price = PRICES["metrics"].usd / HOURS * (WORKLOAD_METRICS + HOST_METRICS)
    assert dollars_a_day(the_template().fleet, result)["metrics"] == pytest.approx(
        counted * price, rel=0.01
    )


def test_alarms_and_the_signal_are_paid_for_whether_there_is_work_or_not() -> None:
    """The fast signal has its own price."""
    result = a_result()
    plain = dollars_a_day(the_template().fleet, result)
    fast = dollars_a_day(the_template(("FastSignal", "true")).fleet, result)
    assert plain["alarms"] == fast["alarms"] > 0
    assert (plain["fast alarms"], plain.get("duration", 0)) == (0, 0)
    assert min(fast["fast alarms"], fast["duration"], fast["schedule"]) > 0
