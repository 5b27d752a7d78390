"""The worker: performs the steps of the rhythm one after another until a stop is requested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer import cycle
from consumer.delivery import Delivery
from consumer.logs.counts import Counts, cycle_line
from consumer.logs.events import get_logger
from consumer.pool.handling import make_attempt
from shared.errors import QueueUnavailableError
from shared.logs import encode_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.acknowledge import Acknowledger
    from consumer.handlers.handler import Handler
    from consumer.in_flight import InFlight
    from consumer.logs.counts import CycleCounter, MetricLabels
    from consumer.pool.threads import ThreadPool
    from consumer.ports import Ports
    from shared.queue import ReceivedMessage

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A worker's task: what to do with messages, where, and how often to poll.

    `visibility` is the visibility timeout of each receive, in whole seconds.
    """

    handler: Handler
    pool: ThreadPool
    rhythm: cycle.Rhythm
    visibility: int
    labels: MetricLabels


class Worker:
    """Polls, processes, rests; `receiving` is True while a receive is under way."""

    def __init__(
        self,
        ports: Ports,
        job: Job,
        in_flight: InFlight,
        acknowledger: Acknowledger,
        counter: CycleCounter,
    ) -> None:
        """Share `in_flight`, `acknowledger` and `counter` with the thread that shuts down."""
        self.receiving = False
        self._queue = ports.queue
        self._sink = ports.sink
        self._clock = ports.clock
        self._stop = ports.stop
        self._job = job
        self._in_flight = in_flight
        self._acknowledger = acknowledger
        self._counter = counter
        self._contacted = False
        self._deliveries = 0
        self._busy_since: float | None = None

    def run(self) -> None:
        """Perform step after step until a stop is requested.

        Raises:
            QueueUnavailableError: the very first receive got no answer.
            QueueRefusedError: SQS refused a call.
        """
        rhythm = self._job.rhythm
        memory, step = cycle.first_step(rhythm)
        while not self._stop.requested():
            memory, step = cycle.next_step(rhythm, memory, self.perform(step))

    def perform(self, step: cycle.Step) -> cycle.StepResult:
        """Perform one step and return its result; raises what `run` raises."""
        match step:
            case cycle.Receive(limit, wait_seconds):
                return self._receive(limit, wait_seconds)
            case cycle.Rest(seconds):
                self.report_cycle()
                self._stop.wait(seconds)
                return cycle.RestEnded()

    def report_cycle(self) -> None:
        """Write the metrics of the cycle, if it received anything, and begin the next cycle."""
        counts = self._counter.take()
        busy_since, self._busy_since = self._busy_since, None
        if counts.received and busy_since is not None:
            seconds = self._clock.monotonic() - busy_since
            line = cycle_line(self._job.labels, counts, seconds, self._clock.time())
            self._sink.write([encode_line(line)])

    def _receive(self, limit: int, wait_seconds: int) -> cycle.StepResult:
        self.receiving = True
        try:
            messages = self._queue.receive(limit, wait_seconds, self._job.visibility)
        except QueueUnavailableError as error:
            if not self._contacted:
                raise
            log.warning("queue unavailable", extra={"fields": {"reason": str(error)}})
            return cycle.ReceiveFailed()
        finally:
            self.receiving = False
        self._contacted = True
        if messages:
            self._process(messages)
        else:
            log.debug("queue empty")
        return cycle.ReceiveEnded(len(messages))

    def _process(self, messages: Sequence[ReceivedMessage]) -> None:
        now, received_at = self._clock.monotonic(), self._clock.time()
        self._busy_since = self._busy_since or now
        self._counter.add(Counts(received=len(messages)))
        self._in_flight.add(messages, now)
        if self._stop.requested():  # the stop was requested while the receive was under way
            self._acknowledger.return_to_queue(self._in_flight.close())

        def handle(message: ReceivedMessage) -> None:
            self._deliveries += 1
            self._handle(Delivery(self._deliveries, message, received_at, message.body))

        acknowledged_at = now
        for _ in self._job.pool(handle, messages):
            if self._clock.monotonic() - acknowledged_at >= cycle.ACKNOWLEDGE_SECONDS:
                self._acknowledger.acknowledge(self._in_flight.take_finished())
                acknowledged_at = self._clock.monotonic()
        self._acknowledger.acknowledge(self._in_flight.take_finished())

    def _handle(self, delivery: Delivery) -> None:
        if not self._stop.requested() and self._in_flight.start(delivery.received):
            self._in_flight.finish(make_attempt(self._job.handler, self._clock, delivery))
