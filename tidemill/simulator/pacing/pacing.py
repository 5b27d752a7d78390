"""The port through which the loop runner leaves out turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.loop import LoopMemory
    from tidemill.scaling.metrics.queue import QueueActivity, QueueSample
    from tidemill.scaling.metrics.store import MetricStore


class Pacing(Protocol):
    """Decides which turns of the loop are taken, and does what the others would have done."""

    @property
    def turn_every(self) -> float:
        """Return after how many seconds a turn is taken in any case; infinity for never."""
        ...

    def publish(
        self, group: GroupMemory, activity: QueueActivity, sample: QueueSample, now: float
    ) -> bool:
        """Publish the metrics of the minute that ends now in place of a turn.

        Returns:
            Whether that was done; otherwise only a turn publishes.
        """
        ...

    def published(self, sample: QueueSample, now: float) -> tuple[Fact, ...]:
        """Return the facts that a turn would have stated in place of `publish`."""
        ...

    def can_skip(self, memory: LoopMemory, now: float) -> bool:
        """Return whether a turn that evaluates the alarms now would change nothing."""
        ...

    def metrics(self, known: MetricStore, before: float, now: float) -> MetricStore:
        """Return the metrics for a turn that is taken now, those published in its place included.

        Args:
            known: the core's.
            before: when the core last looked, in epoch seconds.
            now: epoch seconds.
        """
        ...

    def after_turn(self, memory: LoopMemory) -> None:
        """Take over what a turn has found."""
        ...
