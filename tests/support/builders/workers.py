"""A worker over fakes, with handlers and acknowledging in threads of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.builders.consumers import consumer, run
from support.fakes.consuming import FakeClock, FakeQueue, FakeSink
from support.fakes.stopping import FakeStop

from consumer.clock import SystemThreads
from consumer.cycle import Receive
from consumer.handlers import log_only
from consumer.pool.threads import PoolLimits
from consumer.ports import Ports

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.cycle import Rhythm
    from shared.queue import ReceivedMessage

LONG_POLL: Final = Receive(10, 20)
PATIENCE: Final = 30.0


class Bench:
    """A worker over fakes, with handlers and acknowledging in threads of their own."""

    def __init__(
        self,
        answers: list[list[ReceivedMessage] | Exception],
        handler: Callable[..., object] = log_only,
        *,
        rhythm: Rhythm | None = None,
        waits: int = 1,
        threads: int = 1,
        expected_seconds: float = 0,
    ) -> None:
        """Build the parts; the worker stops at its `waits`-th rest."""
        self.queue = FakeQueue(answers)
        self.sink = FakeSink()
        self.clock = FakeClock()
        self.stop = FakeStop(stop_in_wait=waits)
        ports = Ports(self.queue, self.sink, self.clock, self.stop, SystemThreads())
        self.parts = consumer(
            ports,
            handler,
            rhythm=rhythm,
            limits=PoolLimits(threads, 30),
            expected_seconds=expected_seconds,
        )
        self.worker, self.in_flight = self.parts.worker, self.parts.in_flight

    def run(self) -> None:
        """Run the worker to its end."""
        run(self.parts)
