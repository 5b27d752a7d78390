"""The choice of a pacing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.simulator.pacing.every_turn import EveryTurn
from tidemill.simulator.pacing.needed_turns import NeededTurns, can_leave_out_turns

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet
    from tidemill.simulator.pacing.pacing import Pacing


def choose_pacing(fleet: Fleet, turn_every: float | None) -> Pacing:
    """Return a pacing that takes only the turns that are needed, where the fleet allows it.

    Args:
        fleet: the fleet.
        turn_every: take every turn, and one every so many seconds besides; None for the choice.
    """
    if turn_every is not None:
        return EveryTurn(turn_every)
    return NeededTurns(fleet) if can_leave_out_turns(fleet) else EveryTurn()
