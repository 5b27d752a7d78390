"""Port of the loop runner to the part that decides which turns are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.loop import LoopMemory
    from tidemill.scaling.metrics.queue import QueueActivity, QueueSample
    from tidemill.scaling.metrics.store import MetricStore


class Pacing(Protocol):
    """Port that decides which turns are taken, and does the work of the turns that are left out."""

    @property
    def turn_every(self) -> float:
        """Return the number of seconds between turns that are always taken; infinity for none."""
        ...

    def publish(
        self, group: GroupMemory, activity: QueueActivity, sample: QueueSample, now: float
    ) -> bool:
        """Publish the metrics of the minute that ends now in place of a turn.

        Returns:
            True if they were published; otherwise a turn has to publish them.
        """
        ...

    def published(self, sample: QueueSample, now: float) -> tuple[Fact, ...]:
        """Return the facts that a turn would have returned in place of `publish`."""
        ...

    def can_skip(self, memory: LoopMemory, now: float) -> bool:
        """Return whether a turn that evaluates the alarms now would change nothing."""
        ...

    def metrics(self, known: MetricStore, before: float, now: float) -> MetricStore:
        """Return the metrics for a turn now, including those that were published without a turn.

        Args:
            known: the metrics that the core has.
            before: the time of the last turn, in epoch seconds.
            now: epoch seconds.
        """
        ...

    def after_turn(self, memory: LoopMemory) -> None:
        """Update this pacing with the memory that a turn has returned."""
        ...
