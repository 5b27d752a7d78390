"""The choice of a pacing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.simulator.pacing.every_turn import EveryTurn
from tidemill.simulator.pacing.needed_turns import NeededTurns, can_leave_out_turns

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet
    from tidemill.simulator.pacing.pacing import Pacing


def choose_pacing(fleet: Fleet, turn_every: float | None, *, planned_faults: bool) -> Pacing:
    """Return a pacing that takes only the turns that are needed, where it is exact.

    It is not exact where an instance reports something at the very moment at which a minute ends:
    the core samples the group after the report, NeededTurns before it. Chance hardly ever picks
    such a moment, but planned faults do: a Spot interruption at 600 s ends the instance at 720 s.

    Args:
        fleet: the fleet.
        turn_every: take every turn, and one every so many seconds besides; None for the choice.
        planned_faults: the scenario lists faults.
    """
    if turn_every is not None:
        return EveryTurn(turn_every)
    if planned_faults or not can_leave_out_turns(fleet):
        return EveryTurn()
    return NeededTurns(fleet)
