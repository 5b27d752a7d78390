"""A pool of threads, and what it reports."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from support.fakes.consuming import FakeQueue, FakeSink, delivery
from support.fakes.stopping import FakeStop

from consumer.clock import SystemClock, SystemThreads
from consumer.handlers.loading import handler_of
from consumer.pool.threads import PoolLimits, ThreadPool
from consumer.ports import PoolReports, Ports

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.attempt import Attempt, AttemptResult
    from consumer.delivery import Delivery
    from shared.errors import WorkloadError

PATIENCE: Final = 30.0


class Bench:
    """A pool and what it reports."""

    def __init__(
        self, handler: Callable[..., object], *, threads: int = 1, seconds: float = PATIENCE
    ) -> None:
        """Start the pool."""
        self.release = threading.Event()
        self.refused: set[int] = set()
        self.attempts: list[Attempt] = []
        self.returned: list[Delivery] = []
        self.broken: list[WorkloadError] = []
        self._finished = threading.Condition()
        clock, threads_port = SystemClock(), SystemThreads()
        ports = Ports(FakeQueue(), FakeSink(), clock, FakeStop(), threads_port)
        reports = PoolReports(
            lambda key: key not in self.refused, self._keep, self.returned.extend, self._break
        )
        limits = PoolLimits(threads, seconds)
        self.pool = ThreadPool(lambda: handler_of(handler), limits, ports, reports)
        self.pool.start()

    def _keep(self, attempt: Attempt) -> None:
        with self._finished:
            self.attempts.append(attempt)
            self._finished.notify_all()

    def _break(self, error: WorkloadError) -> None:
        with self._finished:
            self.broken.append(error)
            self._finished.notify_all()

    def until(self, predicate: Callable[[], object]) -> None:
        """Wait until something was reported."""
        with self._finished:
            assert self._finished.wait_for(predicate, PATIENCE)

    def finished(self, count: int) -> list[tuple[int, AttemptResult]]:
        """Wait for so many attempts; return their keys and results."""
        self.until(lambda: len(self.attempts) >= count)
        return [(attempt.delivery.key, attempt.result) for attempt in self.attempts]


def of(*keys: int) -> Sequence[Delivery]:
    """Build deliveries with these keys."""
    return [delivery(key) for key in keys]
