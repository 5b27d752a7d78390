"""The figures of a run."""

from __future__ import annotations

from support.builders.simulations import bursts, the_template

from tidemill.simulator.run import simulate
from tidemill.simulator.run_figures import run_figures


def test_figures_account_for_every_message() -> None:
    """Processed, dead-lettered and lost messages add up to those sent."""
    candidate, scenario = the_template(), bursts((0, 30), poison=0.3)
    found = run_figures(candidate, scenario, 1, simulate(candidate, scenario, 1))
    assert found["lost"] == 0
    assert found["sent"] == 30
    assert {**found}["processed"] == 30 - int(str(found["dead_lettered"]))
