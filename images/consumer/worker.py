"""The worker: performs the steps of the rhythm one after another until a stop is requested."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer import capacity, cycle
from consumer import setting_table as table
from consumer.logs.counts import Counts
from consumer.logs.events import get_logger
from consumer.messages.envelopes import NONE
from consumer.messages.intake import take_in
from shared.errors import QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.admission import Admission
    from consumer.in_flight import InFlight
    from consumer.logs.cycles import Cycles
    from consumer.ports import Pool, Ports
    from shared.queue import ReceivedMessage

log = get_logger(__name__)

SHORTEST_SHARE: Final = 0.5
"""Of a rest after a failed receive: workers that failed together come back in different seconds."""


@dataclass(frozen=True, slots=True)
class Job:
    """How a worker receives.

    Attributes:
        rhythm: when it polls.
        visibility: the visibility timeout of each receive, in whole seconds.
        drain: seconds that handlers get after a stop.
        envelope: what is around each message, a value of ENVELOPE.
        start: seconds for which the queue need not answer before the first receive succeeds.
        seed: of the shares of rests after failed receives, which differ; None for whole ones.
    """

    rhythm: cycle.Rhythm
    visibility: int
    drain: float
    envelope: str = NONE
    start: float = table.START_SECONDS.default
    seed: int | None = None


class Worker:
    """Polls, lets handlers work, rests; `receiving` is True while a receive is under way."""

    def __init__(
        self,
        ports: Ports,
        job: Job,
        pool: Pool,
        in_flight: InFlight,
        cycles: Cycles,
        admission: Admission,
    ) -> None:
        """Share all parts with the threads that handle, acknowledge and shut down."""
        self.receiving = False
        self._queue = ports.queue
        self._clock = ports.clock
        self._stop = ports.stop
        self._job = job
        self._pool = pool
        self._in_flight = in_flight
        self._cycles = cycles
        self._claims, self._groups = admission.claims, admission.groups
        self._contacted = False
        self._patient_until = ports.clock.monotonic() + job.start
        self._deliveries = 0
        self._random = random.Random(job.seed)  # noqa: S311 - rests are no secret

    def run(self) -> None:
        """Perform step after step until a stop is requested.

        Raises:
            QueueUnavailableError: no receive has had an answer since the start, for too long.
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
                size = self._wait_for_room(limit)
                if not size:
                    return cycle.ReceiveEnded(0)
                if not self._claims.ready():
                    return self._failed()
                return self._receive(self._groups.limit(size), wait_seconds)
            case cycle.Rest(seconds):
                if self._job.rhythm.poll_wait:  # otherwise there are no polls between rests
                    self._in_flight.wait_until_acknowledged()
                    self._cycles.report()
                else:
                    self._cycles.report_if_due(idle=not len(self._in_flight))
                self._stop.wait(seconds)
                return cycle.RestEnded()

    def finishable(self, seconds_left: float, running: int) -> int:
        """Return how many messages can still be finished in this time, besides those running."""
        return capacity.finishable(self._pool.slots, running, self._in_flight.p95(), seconds_left)

    def _wait_for_room(self, limit: int) -> int:
        """Return how many messages to ask for, once there is room; 0 if a stop is requested."""
        while not self._stop.requested():
            in_hand, seconds_each = len(self._in_flight), self._in_flight.p95()
            for fewer in range(in_hand, -1, -1):
                room = capacity.room(self._pool.slots, fewer, seconds_each, self._job.drain)
                size = capacity.receive_size(self._pool.slots, fewer, room, limit)
                if size:
                    break
            if fewer == in_hand:
                return size
            self._in_flight.wait_for_room(fewer)
        return 0

    def _receive(self, limit: int, wait_seconds: int) -> cycle.StepResult:
        self.receiving = True
        latest = self._clock.monotonic() + wait_seconds
        try:
            messages = self._queue.receive(limit, wait_seconds, self._job.visibility)
        except QueueUnavailableError as error:
            if not self._contacted and self._clock.monotonic() >= self._patient_until:
                raise
            log.warning("queue unavailable", extra={"fields": {"reason": str(error)}})
            return self._failed()
        else:
            self._contacted = True
            if messages:
                self._take_in(messages, max(0.0, self._clock.monotonic() - latest))
            else:
                log.debug("queue empty")
            return cycle.ReceiveEnded(len(messages))
        finally:
            self.receiving = False

    def _failed(self) -> cycle.ReceiveFailed:
        if self._job.seed is None:
            return cycle.ReceiveFailed()
        return cycle.ReceiveFailed(self._random.uniform(SHORTEST_SHARE, 1))

    def _take_in(self, messages: Sequence[ReceivedMessage], late: float) -> None:
        """Take messages in whose answer came so many seconds late."""
        received_at = self._clock.time()
        first = self._deliveries + 1
        self._deliveries += len(messages)
        deliveries, ended = take_in(self._job.envelope, messages, first, received_at)
        self._cycles.add(Counts(received=len(deliveries)))
        in_hand = self._in_flight.unfinished
        self._in_flight.add(deliveries, late)
        if self._stop.requested():  # the stop was requested while the receive was under way
            now, deadline = self._clock.monotonic(), self._in_flight.deadline
            left = self._job.drain if deadline is None else deadline - now
            keep = self.finishable(left, in_hand)
            self._in_flight.give_back(deliveries[keep:])
            deliveries = deliveries[:keep]
        claimed = self._claims.claim(deliveries, ended)
        for attempt in claimed.attempts:
            self._in_flight.finish(attempt)
        self._in_flight.give_back(claimed.followers)
        self._pool.submit(claimed.mine)
