"""A consumer's parts, connected as in the program, over fakes or real adapters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from consumer.acknowledge import Acknowledger
from consumer.cycle import Rhythm
from consumer.handlers import log_only
from consumer.handlers.loading import handler_of
from consumer.in_flight import InFlight
from consumer.logs.counts import CycleCounter, MetricLabels
from consumer.pool.threads import create_thread_pool
from consumer.retry import RetryDelays
from consumer.worker import Job, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.ports import Ports


HandlerCode: TypeAlias = "Callable[..., object]"
"""A function as users write it."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A worker and the parts that it shares with heartbeat and shutdown."""

    worker: Worker
    acknowledger: Acknowledger
    in_flight: InFlight
    counter: CycleCounter


def consumer(
    ports: Ports, handler: HandlerCode = log_only, *, rhythm: Rhythm | None = None, threads: int = 1
) -> Consumer:
    """Build a consumer with the default delays, on an instance called i-0123."""
    in_flight, counter = InFlight(), CycleCounter()
    acknowledger = Acknowledger(ports, in_flight, counter, RetryDelays(30, 900), "i-0123")
    job = Job(
        handler=handler_of(handler),
        pool=create_thread_pool(threads),
        rhythm=rhythm or Rhythm(),
        visibility=120,
        labels=MetricLabels("Tidemill", "work", "i-0123"),
    )
    worker = Worker(ports, job, in_flight, acknowledger, counter)
    return Consumer(worker, acknowledger, in_flight, counter)
