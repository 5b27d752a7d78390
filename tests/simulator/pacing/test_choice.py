"""Which pacing a run has."""

from __future__ import annotations

import pytest
from support.builders.simulations import the_template

from tidemill.simulator.pacing.choice import choose_pacing
from tidemill.simulator.pacing.every_turn import EveryTurn
from tidemill.simulator.pacing.needed_turns import NeededTurns


@pytest.mark.parametrize("seconds", ["60", "300"])
def test_turns_are_left_out_where_every_alarm_looks_at_whole_minutes(seconds: str) -> None:
    """The product's template allows turns to be left out, with alarms over several minutes too."""
    fleet = the_template(("HoldSeconds", seconds)).fleet
    assert isinstance(choose_pacing(fleet, None, planned_faults=False), NeededTurns)


@pytest.mark.parametrize(
    ("parameters", "turn_every", "planned_faults"),
    [
        pytest.param((("FastSignal", "true"),), None, False, id="a signal every ten seconds"),
        pytest.param((), None, True, id="faults at round moments"),
        pytest.param((), 7.0, False, id="asked for"),
    ],
)
def test_otherwise_every_turn_is_taken(
    parameters: tuple[tuple[str, str], ...],
    turn_every: float | None,
    planned_faults: bool,  # noqa: FBT001 - a case
) -> None:
    """Every turn is taken, and additional ones only if a number of seconds is given."""
    fleet = the_template(*parameters).fleet
    pacing = choose_pacing(fleet, turn_every, planned_faults=planned_faults)
    assert pacing == EveryTurn(turn_every or float("inf"))
