"""Pacing that takes every turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.loop import LoopMemory
    from tidemill.scaling.metrics.queue import QueueActivity, QueueSample
    from tidemill.scaling.metrics.store import MetricStore


@dataclass(frozen=True, slots=True)
class EveryTurn:
    """A pacing that takes every turn, and an additional one every `turn_every` seconds."""

    turn_every: float = float("inf")

    def publish(
        self,
        group: GroupMemory,  # noqa: ARG002 - the port's
        activity: QueueActivity,  # noqa: ARG002 - the port's
        sample: QueueSample,  # noqa: ARG002 - the port's
        now: float,  # noqa: ARG002 - the port's
    ) -> bool:
        """Return False: the turn at the end of the period publishes."""
        return False

    def published(self, sample: QueueSample, now: float) -> tuple[Fact, ...]:  # noqa: ARG002 - the port's
        """Return no facts: each turn returns its own facts."""
        return ()

    def can_skip(self, memory: LoopMemory, now: float) -> bool:  # noqa: ARG002 - the port's
        """Return False."""
        return False

    def metrics(self, known: MetricStore, before: float, now: float) -> MetricStore:  # noqa: ARG002 - the port's
        """Return the metrics that the core has."""
        return known

    def after_turn(self, memory: LoopMemory) -> None:
        """Do nothing: this pacing has no memory."""
