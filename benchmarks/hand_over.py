"""`python -m benchmarks.hand_over`: CPU time of handing messages over to worker processes.

The handler does nothing, and messages arrive in tens, as from SQS: ten whenever ten are finished,
with at most so many in hand as the consumer would allow. The same messages are handed to the same
handler by a direct call for comparison. Both are measured in turn, several times, because other
programs disturb them.
"""

from __future__ import annotations

import os
import statistics
import sys
import threading
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from consumer.capacity import room
from consumer.clock import SystemClock
from consumer.delivery import Delivery
from consumer.handlers.arrival import Arrival
from consumer.handlers.loading import load
from consumer.pool.process_pool import ProcessPlan, ProcessPool
from consumer.ports import PoolReports
from shared.queue import ReceivedMessage
from shared.quotas import MAX_BATCH
from shared.stopping import SignalStop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.attempt import Attempt
    from consumer.handlers.handler import Handler
    from shared.errors import WorkloadError

MESSAGES: Final = 20_000
ROUNDS: Final = 5
HANDLER: Final = "benchmarks.hand_over:do_nothing"
DRAIN: Final = 30.0
BODY: Final = (
    '{"vehicleId":"VH2001","make":"Honda","model":"Civic","year":2020,"color":"Blue","mileage":1}'
)


def do_nothing(_body: bytes) -> None:
    """Handle a message in no time."""


class Sink:
    """A sink for lines that a handler that does nothing does not print."""

    def write(self, lines: list[bytes]) -> None:
        """Print them all the same."""
        sys.stderr.buffer.writelines(lines)


def main() -> None:
    """Measure and print."""
    deliveries = [_delivery(key) for key in range(1, MESSAGES + 1)]
    handler = load(HANDLER)
    sys.stdout.write("CPU s per 1,000 messages (a round each; parent + workers)\n")
    ratios = []
    for _ in range(ROUNDS):
        direct = _direct(handler, deliveries)
        row = [f"direct {direct:.4f}"]
        for workers in (1, 2):
            parent, children, rate = _pool(workers, deliveries)
            row.append(f"{workers} workers {parent:.4f} + {children:.4f} ({rate:,.0f}/s)")
            ratios.append((workers, parent + children - direct))
        sys.stdout.write("  ".join(row) + "\n")
    for workers in (1, 2):
        costs = [cost for count, cost in ratios if count == workers]
        sys.stdout.write(
            f"{workers} workers: the hand-over costs {statistics.median(costs):.4f} CPU s "
            f"per 1,000 (median; {min(costs):.4f} to {max(costs):.4f})\n"
        )


def _delivery(key: int) -> Delivery:
    now = time.time()
    message_id = f"0b3a7c1e-8a52-4c38-9a5e-{key:012d}"
    received = ReceivedMessage(message_id, "receipt" * 20, BODY, 1, now)
    return Delivery(key, received, now, BODY)


def _direct(handler: Handler, deliveries: Sequence[Delivery]) -> float:
    """Return the CPU seconds per 1,000 messages of calling the handler in this thread."""
    before = time.process_time()
    for delivery in deliveries:
        received = delivery.received
        arrival = Arrival(
            received.message_id,
            delivery.body,
            received.receive_count,
            received.sent_at,
            delivery.received_at,
            time.time() + DRAIN,
        )
        handler.call([arrival], _no_extension)
    return (time.process_time() - before) / len(deliveries) * 1000


def _pool(workers: int, deliveries: Sequence[Delivery]) -> tuple[float, float, float]:
    """Return the CPU seconds per 1,000 messages of parent and workers, and messages a second."""
    ended = threading.Event()
    left = iter(range(0, len(deliveries), MAX_BATCH))
    finished = 0

    def finish(_attempt: Attempt) -> None:
        nonlocal finished
        finished += 1
        if not finished % MAX_BATCH and (at := next(left, None)) is not None:
            pool.submit(deliveries[at : at + MAX_BATCH])
        if finished == len(deliveries):
            ended.set()

    plan = ProcessPlan(HANDLER, workers, 1, DRAIN, "INFO", "benchmark")
    reports = PoolReports(lambda _: True, finish, lambda _: None, _fail)
    pool = ProcessPool(plan, reports, Sink(), SystemClock(), SignalStop())
    pool.start()
    workers_before = _workers_cpu(pool)
    cpu, clock = time.process_time(), time.monotonic()
    for at in islice(left, room(pool.slots, 0, 0.0, DRAIN) // MAX_BATCH):
        pool.submit(deliveries[at : at + MAX_BATCH])
    ended.wait(60)
    cpu, clock = time.process_time() - cpu, time.monotonic() - clock
    workers_cpu = _workers_cpu(pool) - workers_before
    pool.close(10)
    thousands = len(deliveries) / 1000
    return cpu / thousands, workers_cpu / thousands, len(deliveries) / clock


def _workers_cpu(pool: ProcessPool) -> float:
    """Return the CPU seconds that the main threads of all workers have used."""
    return sum(
        int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
        for pid in pool.pids()
    )


def _no_extension(_index: int, _seconds: float) -> None:
    pass


def _fail(error: WorkloadError) -> None:
    sys.stderr.write(f"{error}\n")
    os._exit(1)


if __name__ == "__main__":
    main()
