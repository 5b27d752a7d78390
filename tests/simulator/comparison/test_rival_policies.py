"""The rivals of the template's policy do what they are known for."""

from __future__ import annotations

import pytest
from support.builders.simulations import bursts, simulated, the_template

from tidemill.scaling.facts import DesiredChanged
from tidemill.simulator.comparison.compare import compare
from tidemill.simulator.comparison.rival_policies import rivals
from tidemill.simulator.run import RunOptions
from tidemill.simulator.scenario import SCENARIOS

RIVALS = {rival.name: rival for rival in rivals(the_template(), 50)}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        pytest.param("target tracking", [(1, 4)], id="in proportion, and slowly in"),
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


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_rival_is_both_as_fast_and_as_cheap_as_the_template(name: str, seed: int) -> None:
    """No policy beats the template's in mean wait and cost in any scenario."""
    runs = compare(list(RIVALS.values()), [SCENARIOS[name]], seed, RunOptions(), lambda _: None)
    (ours,) = [run for run in runs if run["policy"] == "template"]
    assert ours["beaten_by"] == []
