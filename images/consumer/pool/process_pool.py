"""The pool of worker processes: handlers run there, and the consumer only learns how they end.

The consumer never imports the user's code. A process that dies, hangs, or holds its interpreter
costs the message that did it one attempt; everything else goes on.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.handlers.errors import HandlerError
from consumer.handlers.handler import HandlerKind
from consumer.logs.events import get_logger
from consumer.output.lines import encode_output
from consumer.pool.backlog import Backlog
from consumer.pool.crew import Crew
from consumer.pool.dispatcher import Dispatcher
from consumer.pool.frames import Terms
from consumer.waiting import create_waiting
from shared.errors import WorkloadError
from shared.quotas import MAX_BATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.delivery import Delivery
    from consumer.pool.effects import Effects
    from consumer.ports import Clock, PoolReports, Sink
    from shared.stopping import Stop

log = get_logger(__name__)

LOOK_SECONDS: Final = 0.2
"""Pause between two looks whether a stop is requested while handlers start."""
LINGER_SECONDS: Final = 1.0
"""Time that a process may live after its handler was shut down: threads of its own, atexit."""
KILLED_SECONDS: Final = 5.0
"""Time for killed processes to disappear; one that waits for a disk may need longer."""


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """How handlers run: which, in how many processes, how many messages in each, how long.

    With `fifo`, the order of message groups is kept.
    """

    handler: str
    workers: int
    concurrency: int
    seconds: float
    log_level: str
    instance_id: str
    fifo: bool = False


class ProcessPool:
    """A pool of `workers` processes; see consumer.ports.Pool."""

    def __init__(
        self, plan: ProcessPlan, reports: PoolReports, sink: Sink, clock: Clock, stop: Stop
    ) -> None:
        """Write what handlers print to `sink`; a stop ends the wait for handlers to get ready."""
        terms = Terms(
            handler=plan.handler,
            concurrency=plan.concurrency,
            seconds=plan.seconds,
            log_level=plan.log_level,
            parent=os.getpid(),
            search_path=sys.path,
        )
        self._plan = plan
        self._reports = reports
        self._sink = sink
        self._clock = clock
        self._stop = stop
        self._crew = Crew(plan.workers, terms)
        waiting = create_waiting(fifo=plan.fifo)
        self._dispatcher = Dispatcher(self._crew, Backlog(waiting), terms, clock)
        self._lock = self._dispatcher.lock
        self._batch = 1
        self._ended = False
        self._broken = False
        self._thread = threading.Thread(target=self._run, name="pool", daemon=True)

    @property
    def slots(self) -> int:
        """Return how many messages are handled at the same time."""
        return self._plan.workers * self._plan.concurrency * self._batch

    def pids(self) -> list[int]:
        """Return the ids of the worker processes."""
        with self._lock:
            return [worker.spawned.pid for worker in self._crew.workers()]

    def start(self) -> None:
        """Start the processes; return when the handler is ready in all of them.

        Raises:
            HandlerError: one of them refused the handler, or ended.
        """
        self._thread.start()
        with self._lock:
            while not (self._failure() or self._all_ready() or self._stop.requested()):
                self._lock.wait(LOOK_SECONDS)
            failure = self._failure()
            if any(worker.kind == HandlerKind.BATCH for worker in self._crew.ready()):
                self._batch = MAX_BATCH
        if failure:
            self.close(0)
            raise HandlerError(
                failure if "HANDLER=" in failure else f"HANDLER={self._plan.handler!r}: {failure}"
            )

    def submit(self, deliveries: Sequence[Delivery]) -> None:
        """Let the deliveries be handled, in this order."""
        effects = self._dispatcher.submit(deliveries, self._reports.start)
        if effects.back:
            self._reports.returned(effects.back)

    def withdraw(self, keep: int) -> list[Delivery]:
        """Take back what no handler has begun, from the processes as well."""
        with self._lock:
            self._dispatcher.revoke(list(self._crew.workers()))
            withdrawn = self._dispatcher.backlog.withdraw(keep)
        self._crew.wake()
        return withdrawn

    def running(self) -> dict[int, float]:
        """Return the deadline of every delivery that a handler has, in epoch seconds."""
        offset = self._clock.time() - self._clock.monotonic()
        with self._lock:
            return {
                worker.hands.slots[slot].delivery.key: worker.spawned.page.deadline(slot) + offset
                for worker in self._crew.workers()
                for slot in worker.hands.started()
            }

    def close(self, seconds: float) -> bool:
        """Let the processes finish and shut down, then kill those that have not ended."""
        deadline = self._clock.monotonic() + seconds
        with self._lock:
            self._dispatcher.closing = True
            for worker in self._crew.workers():
                if worker.kind is None:
                    worker.kill()
                else:
                    worker.close()
            self._crew.wake()
            in_order = self._wait_for_handlers(deadline)
            self._wait_for_ends(min(LINGER_SECONDS, deadline - self._clock.monotonic()))
            for worker in self._crew.workers():
                worker.kill()
            self._crew.wake()
            self._wait_for_ends(KILLED_SECONDS)
            self._ended = True
        self._crew.wake()
        if self._thread.is_alive():
            self._thread.join(KILLED_SECONDS)
        return in_order

    def _failure(self) -> str:
        return next((seat.why for seat in self._crew.seats if seat.failures), "")

    def _all_ready(self) -> bool:
        return len(self._crew.ready()) == len(self._crew.seats)

    def _wait_for_handlers(self, deadline: float) -> bool:
        """Wait until every process has shut its handler down; return whether all did."""
        workers = list(self._crew.workers())

        def ended() -> bool:
            alive = list(self._crew.workers())
            return all(worker.closed or worker not in alive for worker in workers)

        self._lock.wait_for(ended, max(0.0, deadline - self._clock.monotonic()))
        return all(worker.closed or worker.kind is None for worker in workers)

    def _wait_for_ends(self, seconds: float) -> None:
        self._lock.wait_for(lambda: not list(self._crew.workers()), max(0.0, seconds))

    def _run(self) -> None:
        try:
            while not self._ended:
                self._perform(self._dispatcher.turn(self._reports.start))
        except Exception as error:
            log.critical("pool failed", exc_info=error)
            self._abandon()
            self._reports.broken(WorkloadError(f"the pool failed: {type(error).__name__}: {error}"))
        finally:
            self._crew.close()

    def _abandon(self) -> None:
        """End all processes at once and give back what they had: nobody watches them any more."""
        with self._lock:
            self._dispatcher.closing = True
            ended = self._crew.end_all(self._clock)
            left = [one.delivery for worker in ended for one in worker.hands.slots.values()]
            left += self._dispatcher.backlog.withdraw(0)
            self._lock.notify_all()
        self._reports.returned(left)

    def _perform(self, effects: Effects) -> None:
        """Do what a turn asks for, in the order in which it happened."""
        for problem in effects.problems:
            log.warning("worker process not started", extra={"fields": {"reason": problem}})
        if effects.lines:
            with suppress(OSError):  # it ends the consumer at its own next line
                self._sink.write(
                    [encode_output(line, self._plan.instance_id) for line in effects.lines]
                )
        for event, fields in effects.warnings:
            log.warning(event, extra={"fields": fields})
        for attempt in effects.attempts:
            self._reports.finished(attempt)
        if effects.back:
            self._reports.returned(effects.back)
        if not self._broken and all(seat.given_up for seat in self._crew.seats):
            self._broken = True
            why = self._crew.seats[0].why
            self._reports.broken(WorkloadError(f"no worker process gets ready: {why}"))
