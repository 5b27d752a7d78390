"""Choice of the pacing for a fleet: exact, and with as few turns as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.metrics.queue import PERIOD
from tidemill.simulator.pacing.every_turn import EveryTurn
from tidemill.simulator.pacing.needed_turns import NeededTurns, can_leave_out_turns

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet
    from tidemill.simulator.pacing.pacing import Pacing


def choose_pacing(fleet: Fleet, turn_every: float | None, *, planned_faults: bool) -> Pacing:
    """Return a pacing that takes only the needed turns if that is exact, else every turn.

    Leaving out turns is not exact if an instance reports an event exactly at the end of a minute:
    the core samples the group after the report, NeededTurns before it. Random times hardly ever
    are the end of a minute, but planned ones are: a Spot interruption at 600 s ends the instance at
    600 + 120 = 720 s, which is 12 minutes. Nor is it exact if alarms see datapoints a minute late.

    Args:
        fleet: the fleet.
        turn_every: seconds between additional turns, with every turn taken; None for the choice.
        planned_faults: whether the scenario has planned faults.
    """
    if turn_every is not None:
        return EveryTurn(turn_every)
    late = fleet.alarm_lag >= PERIOD
    if planned_faults or late or not can_leave_out_turns(fleet):
        return EveryTurn()
    return NeededTurns(fleet)
