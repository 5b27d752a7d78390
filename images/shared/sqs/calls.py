"""Calls of SQS: each is limited in time, made again where that helps, and fails with our errors."""

from __future__ import annotations

import math
import random
import time
from itertools import count
from typing import TYPE_CHECKING, Final, TypeVar

from shared.errors import QueueUnavailableError
from shared.queue_errors import translated
from shared.retries import RetryBudget, pause_before
from shared.sqs.limits import limited

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.sqs.limits import LimitedCall

T = TypeVar("T")

ANSWER_SECONDS: Final = 20.0
"""Time for one whole answer, besides the wait of a receive: SQS needs a tenth of a second, and
10 MiB over a slow line a few."""

RETRY_SECONDS: Final = 5.0
"""No attempt of a call begins later than this, so a call ends within 25 seconds and its wait."""


class Calls:
    """Makes calls in up to `attempts` attempts, of which each has `seconds` for its answer."""

    def __init__(self, attempts: int = 1, seconds: float = ANSWER_SECONDS) -> None:
        """Start with a whole budget of retries."""
        self._attempts = attempts
        self._seconds = seconds
        self._budget = RetryBudget()
        self._random = random.Random()  # noqa: S311 - pauses are no secret

    def make(self, queue: str, call: Callable[[], T], wait: float = 0.0) -> T:
        """Make a call, for whose answer SQS itself waits up to `wait` seconds.

        Raises:
            QueueUnavailableError: it may succeed later; `answer_lost` counts all attempts.
            QueueRefusedError: it will not.
        """
        last_begin = time.monotonic() + RETRY_SECONDS
        lost = False
        for attempt in count(1):
            try:
                answer = self._attempt(queue, call, wait)
            except QueueUnavailableError as error:
                error.answer_lost = lost = lost or error.answer_lost
                pause = pause_before(attempt + 1, self._random)
                late = time.monotonic() + pause > last_begin
                if attempt >= self._attempts or late or not self._budget.take():
                    raise
                time.sleep(pause)
            else:
                self._budget.earn()
                return answer
        raise AssertionError

    def make_waiting(self, queue: str, call: Callable[[int], T], wait: int) -> T:
        """Make a call that is given the seconds that SQS is to wait; it raises what `make` does.

        A further attempt waits for the rest of them: who is told to stop can wait no longer.
        """
        until = time.monotonic() + wait

        def attempt() -> T:
            left = math.ceil(until - time.monotonic())
            return call(max(min(1, wait), min(wait, left)))

        return self.make(queue, attempt, wait)

    def _attempt(self, queue: str, call: Callable[[], T], wait: float) -> T:
        seconds = wait + self._seconds
        one: LimitedCall | None = None
        try:
            with limited(seconds) as one, translated(queue):
                return call()
        except QueueUnavailableError as error:
            if one is None or not one.over:
                raise
            text = f"no answer from the endpoint within {seconds:g} s, or not a whole one"
            raise QueueUnavailableError(text, answer_lost=True) from error
