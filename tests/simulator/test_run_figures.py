"""The figures of a run."""

from __future__ import annotations

from support.builders.stories import bursts, the_template

from tidemill.simulator.run import simulate
from tidemill.simulator.run_figures import run_figures


def test_figures_account_for_every_message() -> None:
    """What the command prints adds up."""
    candidate, story = the_template(), bursts((0, 30), poison=0.3)
    found = run_figures(candidate, story, 1, simulate(candidate, story, 1))
    assert found["lost"] == 0
    assert found["sent"] == 30
    assert {**found}["processed"] == 30 - int(str(found["dead_lettered"]))
