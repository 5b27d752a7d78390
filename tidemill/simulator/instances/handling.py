"""Handling of one message: how long it takes, and how the attempt ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.simulator.queues.queued_message import Cause, MessageKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tidemill.simulator.queues.queued_message import QueuedMessage

    Draw = Callable[[], float]
    """Returns the handling time of the next message in seconds."""


@dataclass(frozen=True, slots=True)
class HandlerTime:
    """Distribution of the time to handle a message.

    Attributes:
        mean: the mean in seconds.
        variation: the standard deviation as a share of the mean. With 0 all messages take the same
            time; otherwise times are log-normal, which is usual for durations: none is negative,
            and a few are long.
    """

    mean: float = 0.0
    variation: float = 0.0

    def draw(self, rng: Random) -> float:
        """Return the seconds for the next message."""
        if not self.mean or not self.variation:
            return self.mean
        variance = math.log1p(self.variation**2)
        return rng.lognormvariate(math.log(self.mean) - variance / 2, math.sqrt(variance))


@dataclass(frozen=True, slots=True)
class Failures:
    """Shares of what handlers do not process.

    Attributes:
        failing: the share of attempts that fail by chance.
        crashing: the share of attempts that end their process by chance; the message in hand has
            had an attempt, its neighbours have not.
        always: the share of messages whose every attempt fails.
    """

    failing: float = 0.0
    crashing: float = 0.0
    always: float = 0.0


NO_FAILURES = Failures()


class Attempts:
    """The durations and ends of attempts.

    A message takes the same time at each of its attempts: the work is in the message. An attempt
    that would take longer than the time limit ends there.
    """

    def __init__(self, draw: Draw | None, failures: Failures, chance: Draw, limit: float) -> None:
        """Draw from these.

        Args:
            draw: returns handling times; None if handling takes no time.
            failures: the shares of attempts and messages that fail.
            chance: returns numbers from 0 to 1.
            limit: the time limit of an attempt in seconds.
        """
        self._draw = draw
        self._failing = failures.failing
        self._ending_badly = failures.failing + failures.crashing
        self._chance = chance
        self.limit = limit
        self.always_processed = draw is None and not self._ending_badly

    def next(self, message: QueuedMessage) -> tuple[float, Cause | None]:
        """Return the seconds of the message's next attempt, and why it fails; None if it does not.

        An invalid message is refused at once.
        """
        if message.kind is MessageKind.INVALID:
            return 0.0, Cause.INVALID
        seconds = message.seconds
        if seconds is None:
            seconds = message.seconds = 0.0 if self._draw is None else self._draw()
        if seconds > self.limit:
            message.kind = MessageKind.SLOW
            return self.limit, Cause.TIMED_OUT
        if message.kind is MessageKind.FAILING:
            return seconds, Cause.FAILED
        if self._ending_badly:
            share = self._chance()
            if share < self._ending_badly:
                return seconds, Cause.FAILED if share < self._failing else Cause.CRASHED
        return seconds, None
