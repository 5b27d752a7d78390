"""The rivals of the template's policy do what they are known for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.builders.simulations import bursts, simulated, the_template

from tidemill.report.comparison import CLAIRVOYANT
from tidemill.scaling.facts import DesiredChanged
from tidemill.simulator.comparison.compare import compare
from tidemill.simulator.comparison.rival_policies import rivals
from tidemill.simulator.cost.bill import dollars_a_day
from tidemill.simulator.cost.prices import HOURS, PRICES
from tidemill.simulator.run import RunOptions
from tidemill.simulator.scenario import SCENARIOS
from tidemill.simulator.waits import mean

RIVALS = {rival.name: rival for rival in rivals(the_template(), 50, high_resolution=True)}
LONG_BURST = bursts((30, 900), seconds=86_400)
PAGE = Path(__file__).parents[3] / "docs" / "simulator.md"


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        pytest.param("target tracking", [(1, 4)], id="in proportion, and slowly in"),
        pytest.param("target tracking, 10 s", [(1, 4)], id="in proportion, and soon"),
        pytest.param("worker utilization", [(0, 1), (1, 4)], id="from none, then in proportion"),
        pytest.param("oldest message", [(0, 1), (1, 2)], id="by age"),
        pytest.param("CDK defaults", [(1, 4)], id="five more from 500 on"),
        pytest.param("one by one", [(0, 1), (1, 2), (2, 3), (3, 4)], id="one by one"),
        pytest.param("fixed at 4", [], id="never"),
    ],
)
def test_a_burst_moves_each_rival_in_its_own_way(name: str, changes: list[tuple[int, int]]) -> None:
    """900 messages at once raise the capacity in the steps of each policy."""
    _, facts = simulated(RIVALS[name], bursts((30, 900)))
    ups = [
        (f.before, f.after) for f in facts if isinstance(f, DesiredChanged) and f.after > f.before
    ]
    assert ups[: len(changes)] == changes
    assert bool(ups) == bool(changes)


@pytest.mark.parametrize("name", RIVALS)
def test_every_rival_drains_a_burst(name: str) -> None:
    """Every policy processes all messages of a burst."""
    result, _ = simulated(RIVALS[name], bursts((30, 300)))
    assert (result.messages.processed, result.left, result.lost) == (300, 0, 0)


def test_the_page_describes_every_policy() -> None:
    """A fixed size is one line of docs/simulator.md, whatever the size."""
    _, table = PAGE.read_text(encoding="utf-8").split("| policy | what it is |", 1)
    listed = re.findall(r"^\| `(.+?)` \| \S", table.split("\n\n")[0], re.MULTILINE)
    names = [re.sub(r"^fixed at \d+$", "fixed at n", name) for name in RIVALS]
    assert listed == [*dict.fromkeys(names), CLAIRVOYANT]


def test_metrics_of_ten_seconds_are_compared_on_request_only() -> None:
    """Their runs take six times the turns."""
    without = [rival.name for rival in rivals(the_template(), 50)]
    assert set(RIVALS) - set(without) == {"target tracking, 10 s"}


def test_ten_seconds_make_target_tracking_faster_and_dearer() -> None:
    """The difference is two minutes of alarms, and the price of the signal and its alarms."""
    slow, fast = RIVALS["target tracking"], RIVALS["target tracking, 10 s"]
    waits, dollars = [], []
    for rival in (slow, fast):
        result, _ = simulated(rival, LONG_BURST)
        waits.append(mean(result.messages.waits) or 0.0)
        dollars.append(sum(dollars_a_day(rival.fleet, result).values()))
    assert waits[1] < waits[0] - 60
    assert dollars[1] > dollars[0]


def test_utilization_leaves_zero_for_one_message_and_returns_there() -> None:
    """Work without workers is full utilization; no work is none, 15 minutes and some long."""
    result, facts = simulated(RIVALS["worker utilization"], bursts((30, 1), seconds=7200))
    sizes = [fact.after for fact in facts if isinstance(fact, DesiredChanged)]
    assert (result.messages.processed, sizes) == (1, [1, 0])


def test_the_workers_own_metric_is_paid_for() -> None:
    """It costs a custom metric, and a request a minute, for each hour of an instance."""
    ours = RIVALS["worker utilization"]
    result, _ = simulated(ours, bursts((30, 50), seconds=86_400))
    plain = dollars_a_day(ours.fleet, result)
    whole = dollars_a_day(ours.fleet, result, worker_metrics=ours.worker_metrics)
    hours = result.instances.billed_seconds / 3600
    assert whole["metrics"] - plain["metrics"] == pytest.approx(
        len(result.instances.hours) * PRICES["metrics"].usd / HOURS, rel=0.01
    )
    assert whole["puts"] - plain["puts"] == pytest.approx(hours * 60 * 0.01 / 1000, rel=0.01)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_rival_is_both_as_fast_and_as_cheap_as_the_template(name: str, seed: int) -> None:
    """No policy beats the template's in mean wait and cost in any scenario."""
    runs = compare(
        list(rivals(the_template(), 50)), [SCENARIOS[name]], seed, RunOptions(), lambda _: None
    )
    (ours,) = [run for run in runs if run["policy"] == "template"]
    assert ours["beaten_by"] == []
