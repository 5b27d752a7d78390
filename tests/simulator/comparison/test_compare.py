"""A comparison with policies that process nothing, or whose fleet never rests."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.builders.simulations import bursts, the_template

from tidemill.scaling.fault_kinds import METRICS_LATE
from tidemill.scaling.faults import Fault
from tidemill.simulator.comparison.compare import compare
from tidemill.simulator.comparison.rival_policies import rivals
from tidemill.simulator.run import USUAL_RUN

LATE = Fault(METRICS_LATE.name, "visible", 0.0, {"late_minutes": 15.0, "for_minutes": 0.0})


@pytest.mark.long
def test_a_policy_that_never_rests_does_not_end_the_comparison() -> None:
    """Its reason names scenario and policy, and the policies after it have their figures."""
    chosen = [
        one for one in rivals(the_template(), 50) if one.name in {"oldest message", "fixed at 1"}
    ]
    scenario = replace(bursts((60, 500)), faults=[LATE])
    oldest, fixed, _ = compare(chosen, [scenario], 1, USUAL_RUN, lambda _: None)
    assert oldest["failed"].startswith("bursts, oldest message: the fleet never rests: 0 messages")
    assert (oldest["mean_wait"], oldest["on_frontier"]) == (None, False)
    assert "failed" not in fixed
    assert fixed["on_frontier"]


def test_a_policy_that_processes_nothing_is_not_on_the_frontier() -> None:
    """It would be the cheapest one."""
    scenario = replace(bursts((60, 5)), faults=[LATE])
    ours, _ = compare([the_template()], [scenario], 1, USUAL_RUN, lambda _: None)
    assert (ours["processed"], ours["expired"]) == (0, 5)
    assert not ours["on_frontier"]


def test_a_policy_without_messages_is_on_the_frontier() -> None:
    """Nothing was left undone."""
    ours, _ = compare([the_template()], [bursts()], 1, USUAL_RUN, lambda _: None)
    assert ours["on_frontier"]
