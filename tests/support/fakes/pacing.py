"""Pacing that takes every turn of a simulation and records the values of the alarms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tidemill.simulator.pacing.every_turn import EveryTurn

if TYPE_CHECKING:
    from tidemill.scaling.loop import LoopMemory


@dataclass(frozen=True)
class WatchedTurns(EveryTurn):
    """Every turn is taken.

    `values` has every value that an alarm had after a turn, by logical id; `memories` has only the
    memory after the last turn.
    """

    values: dict[str, set[float]] = field(default_factory=dict)
    memories: list[LoopMemory] = field(default_factory=list)

    @property
    def last(self) -> LoopMemory | None:
        """Return the memory after the last turn, None before the first one."""
        return self.memories[0] if self.memories else None

    def after_turn(self, memory: LoopMemory) -> None:
        """Record the values of the alarms."""
        self.memories[:] = [memory]
        for alarm, watch in memory.watches.items():
            if watch.memory.value is not None:
                self.values.setdefault(alarm, set()).add(watch.memory.value)
