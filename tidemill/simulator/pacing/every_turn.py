"""Pacing that takes every turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.loop import LoopMemory
    from tidemill.scaling.metrics.queue import QueueActivity, QueueSample
    from tidemill.scaling.metrics.store import MetricStore


@dataclass(frozen=True, slots=True)
class EveryTurn:
    """Leaves out no turn, and takes one every `turn_every` seconds besides."""

    turn_every: float = float("inf")

    def publish(
        self, group: GroupMemory, activity: QueueActivity, sample: QueueSample, now: float
    ) -> None:
        """Do nothing: the turn at the end of the period publishes."""

    def can_skip(self, memory: LoopMemory, now: float) -> bool:  # noqa: ARG002 - the port's
        """Return False."""
        return False

    def metrics(self, known: MetricStore, before: float, now: float) -> MetricStore:  # noqa: ARG002 - the port's
        """Return the metrics that the core knows."""
        return known

    def after_turn(self, memory: LoopMemory) -> None:
        """Do nothing: nothing is remembered."""
