"""A consumer's parts, connected as in the program, over fakes or real adapters."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, TypeAlias

from consumer.acknowledge import Acknowledger, Endings
from consumer.admission import Admission
from consumer.capacity import HandlingTimes
from consumer.cycle import Rhythm
from consumer.groups.message_groups import MessageGroups
from consumer.handlers import log_only
from consumer.handlers.loading import handler_of
from consumer.idempotency.no_claims import NoClaims
from consumer.in_flight import InFlight
from consumer.logs.counts import MetricLabels
from consumer.logs.cycles import Cycles
from consumer.pool.threads import PoolLimits, ThreadPool
from consumer.ports import PoolReports
from consumer.retry import RetryDelays
from consumer.supervise import Failures, Parts
from consumer.worker import Job, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.ports import DeadLetters, Ports

HandlerCode: TypeAlias = "Callable[..., object]"
"""A function as users write it."""

VISIBILITY: Final = 120


def consumer(  # noqa: PLR0913 - a builder: all but the ports are optional
    ports: Ports,
    handler: HandlerCode = log_only,
    *,
    rhythm: Rhythm | None = None,
    limits: PoolLimits | None = None,
    expected_seconds: float = 0,
    dead_letters: DeadLetters | None = None,
    admission: Admission | None = None,
) -> Parts:
    """Build a consumer with the default delays, on an instance called i-0123; start its pool.

    Its handlers are expected to take `expected_seconds` until one has been measured.
    """
    in_flight, failures = (
        InFlight(ports, VISIBILITY, HandlingTimes(expected_seconds)),
        Failures(ports.stop),
    )
    cycles = Cycles(ports, MetricLabels("Tidemill", "work", "i-0123"))
    delays = RetryDelays(30, 900)
    admission = admission or Admission(
        NoClaims(fifo=False), MessageGroups(ports.clock, fifo=False, poll_wait=0)
    )
    endings = Endings(delays, admission, dead_letters)
    acknowledger = Acknowledger(ports, in_flight, cycles, endings, "i-0123")
    reports = PoolReports(in_flight.start, in_flight.finish, in_flight.give_back, failures.add)
    pool = ThreadPool(lambda: handler_of(handler), limits or PoolLimits(1, 30), ports, reports)
    job = Job(rhythm or Rhythm(), VISIBILITY, drain=30)
    worker = Worker(ports, job, pool, in_flight, cycles, admission)
    pool.start()
    return Parts(ports, worker, pool, in_flight, acknowledger, cycles, failures)


def run(parts: Parts) -> None:
    """Run the worker to its end, acknowledging beside it, as the program does; then close.

    An error of either is raised.
    """
    acknowledging = threading.Thread(target=lambda: parts.acknowledger.run(report=False))
    acknowledging.start()
    try:
        parts.worker.run()
    finally:
        parts.in_flight.wait_until_finished(30)
        parts.in_flight.end()
        acknowledging.join(30)
        parts.pool.close(30)
        parts.cycles.report()
