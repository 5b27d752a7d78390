"""The rivals of the template's policy do what they are known for."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from support.builders.simulations import bursts, simulated, the_template

from tidemill.report.comparison import CLAIRVOYANT
from tidemill.scaling.facts import DesiredChanged
from tidemill.scaling.policies.step import find_step
from tidemill.scaling.spec import StepAdjustment, StepScalingPolicy
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
    large = rivals(the_template(("MaxInstances", "30")), 50, high_resolution=True)
    names = [re.sub(r"^fixed at \d+$", "fixed at n", rival.name) for rival in large]
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


@pytest.mark.parametrize("most", ["1", "8"])
def test_a_small_fleet_has_exact_steps_already(most: str) -> None:
    """So there is no such rival."""
    names = [rival.name for rival in rivals(the_template(("MaxInstances", most)), 50)]
    assert "exact steps" not in names


def test_exact_steps_set_each_number_of_a_large_fleet() -> None:
    """The rival differs from the template only in the steps above 8."""
    ours = the_template(("MaxInstances", "30"))
    (exact,) = (rival for rival in rivals(ours, 50) if rival.name == "exact steps")
    (alarm, *_) = exact.fleet.alarms
    policies = [fleet.policy("BacklogPolicy") for fleet in (ours.fleet, exact.fleet)]
    sizes = []
    for policy in policies:
        assert isinstance(policy, StepScalingPolicy)
        found = [
            find_step(policy.steps, alarm.comparison, alarm.threshold, needed)
            for needed in range(1, 32)
        ]
        sizes.append([step.adjustment for step in found if step is not None])
    assert sizes[1] == [*range(1, 31), 30]
    assert sizes[0][:13] == [*range(1, 9), 13, 13, 13, 13, 13]
    assert replace(exact.fleet, policies=ours.fleet.policies) == ours.fleet


def test_steps_that_are_no_numbers_of_instances_have_no_exact_ones() -> None:
    """A step of another template whose bounds are messages is left as it is."""
    ours = the_template(("MaxInstances", "30"))
    steps = (StepAdjustment(0, 100, 1), StepAdjustment(100, None, 9))
    policies = tuple(
        replace(policy, steps=steps) if isinstance(policy, StepScalingPolicy) else policy
        for policy in ours.fleet.policies
    )
    other = replace(ours, fleet=replace(ours.fleet, policies=policies))
    assert "exact steps" not in [rival.name for rival in rivals(other, 50)]


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(name, seed, marks=[] if seed == 1 else pytest.mark.long, id=f"{name}-{seed}")
        for name in SCENARIOS
        for seed in range(1, 6)
    ],
)
def test_the_template_is_on_the_frontier(name: str, seed: int) -> None:
    """No policy is faster and more than a cent a day cheaper, in any scenario, with five seeds."""
    policies = list(rivals(the_template(), 50))
    runs = compare(policies, [SCENARIOS[name]], seed, RunOptions(), lambda _: None)
    (ours,) = [run for run in runs if run["policy"] == "template"]
    assert ours["beaten_by"] == []
