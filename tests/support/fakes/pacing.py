"""Pacing that takes every turn of a simulation and records the values of the alarms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.loop import LoopMemory
    from tidemill.scaling.metrics.queue import QueueActivity, QueueSample
    from tidemill.scaling.metrics.store import MetricStore


@dataclass
class WatchedTurns:
    """Every turn is taken.

    `values` has every value that an alarm had after a turn, by logical id; `last` is the memory
    after the last turn.
    """

    values: dict[str, set[float]] = field(default_factory=dict)
    last: LoopMemory | None = None
    turn_every: float = float("inf")

    def publish(
        self,
        group: GroupMemory,  # noqa: ARG002 - the port's
        activity: QueueActivity,  # noqa: ARG002 - the port's
        sample: QueueSample,  # noqa: ARG002 - the port's
        now: float,  # noqa: ARG002 - the port's
    ) -> bool:
        """Let a turn publish."""
        return False

    def published(self, sample: QueueSample, now: float) -> tuple[Fact, ...]:  # noqa: ARG002 - the port's
        """Return no facts: each turn returns its own."""
        return ()

    def can_skip(self, memory: LoopMemory, now: float) -> bool:  # noqa: ARG002 - the port's
        """Leave out no turn."""
        return False

    def metrics(self, known: MetricStore, before: float, now: float) -> MetricStore:  # noqa: ARG002 - the port's
        """Return the metrics that the core has."""
        return known

    def after_turn(self, memory: LoopMemory) -> None:
        """Record the values of the alarms."""
        self.last = memory
        for alarm, watch in memory.watches.items():
            if watch.memory.value is not None:
                self.values.setdefault(alarm, set()).add(watch.memory.value)
