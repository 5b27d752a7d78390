"""Effects: what the consumer has to do after a turn of the dispatcher, with no lock held."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consumer.attempt import Attempt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.attempt import AttemptResult
    from consumer.delivery import Delivery
    from consumer.output.lines import OutputLine
    from consumer.pool.backlog import Backlog
    from consumer.pool.in_hand import Ended


@dataclass(slots=True)
class Effects:
    """Lines that handlers printed, attempts that ended, messages that go back, things to log.

    `problems` say why processes could not be started. `warnings` are events with their fields.
    """

    lines: list[OutputLine] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    back: list[Delivery] = field(default_factory=list)
    warnings: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def end(self, backlog: Backlog, ended: Sequence[Ended], offset: float) -> None:
        """Keep the attempts of deliveries whose handlers have ended.

        `offset` is what the clock of the day shows beyond the monotonic one.
        """
        attempts = [
            Attempt(
                delivery,
                verdict.result,
                verdict.reason,
                finished - started if finished > started else 0.0,
                finished + offset,
                verdict.retry_after,
            )
            for delivery, verdict, started, finished in ended
        ]
        if not backlog.waiting.ordered:
            self.attempts += attempts
            return
        for attempt in attempts:
            self.add(backlog, attempt)

    def add(self, backlog: Backlog, attempt: Attempt) -> None:
        """Keep an attempt, unless its message went back with its group before."""
        counts, followers = backlog.finished(attempt.delivery, attempt.result)
        if counts:
            self.attempts.append(attempt)
        self.back += followers

    def forget(self, backlog: Backlog, delivery: Delivery) -> None:
        """Let go of a delivery that is not this consumer's any more."""
        result: AttemptResult | None = None
        self.back += backlog.finished(delivery, result)[1]
