"""The worker: does what the rhythm says, one step at a time, until it is asked to stop."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from consumer import cycle
from consumer.emf import Counts, cycle_line
from consumer.outcome import attempt
from shared.errors import QueueUnavailableError
from shared.logs import encode_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.acknowledge import Settler
    from consumer.emf import Source
    from consumer.handlers import Handler
    from consumer.in_flight import Hand
    from consumer.ports import Clock, Queue, Sink
    from consumer.tally import Tally
    from consumer.thread_pool import Crew
    from shared.queue import Received
    from shared.stopping import Stop

log = logging.getLogger(__name__)


class Worker:
    """Polls, processes, rests; `receiving` tells whether a receive is under way."""

    def __init__(  # noqa: PLR0913 - the worker is where all parts meet
        self,
        *,
        queue: Queue,
        handler: Handler,
        crew: Crew,
        hand: Hand,
        settler: Settler,
        tally: Tally,
        sink: Sink,
        clock: Clock,
        stop: Stop,
        rhythm: cycle.Rhythm,
        visibility: int,
        source: Source,
    ) -> None:
        """Work on this queue; `visibility` is in whole seconds."""
        self.receiving = False
        self._queue = queue
        self._handler = handler
        self._crew = crew
        self._hand = hand
        self._settler = settler
        self._tally = tally
        self._sink = sink
        self._clock = clock
        self._stop = stop
        self._rhythm = rhythm
        self._visibility = visibility
        self._source = source
        self._contacted = False
        self._busy_since: float | None = None

    def run(self) -> None:
        """Take step after step until stopping is asked for.

        Raises:
            QueueUnavailableError: nobody answered the very first receive.
            QueueRefusedError: SQS refused a call.
        """
        memory, step = cycle.first_step(self._rhythm)
        while not self._stop.requested():
            memory, step = cycle.next_step(self._rhythm, memory, self.take(step))

    def take(self, step: cycle.Step) -> cycle.Happened:
        """Take one step and tell what happened; raises what `run` raises."""
        match step:
            case cycle.Receive(limit, wait_seconds):
                return self._poll(limit, wait_seconds)
            case cycle.Rest(seconds):
                self.report()
                self._stop.wait(seconds)
                return cycle.Rested()

    def report(self) -> None:
        """Write the metrics of the cycle so far, if it received anything, and begin a new one."""
        counts = self._tally.take()
        busy_since, self._busy_since = self._busy_since, None
        if counts.received and busy_since is not None:
            seconds = self._clock.monotonic() - busy_since
            line = cycle_line(self._source, counts, seconds, self._clock.time())
            self._sink.write([encode_line(line)])

    def _poll(self, limit: int, wait_seconds: int) -> cycle.Happened:
        self.receiving = True
        try:
            messages = self._queue.receive(limit, wait_seconds, self._visibility)
        except QueueUnavailableError as error:
            if not self._contacted:
                raise
            log.warning("queue unavailable", extra={"fields": {"reason": str(error)}})
            return cycle.Unavailable()
        finally:
            self.receiving = False
        self._contacted = True
        if messages:
            self._process(messages)
        else:
            log.debug("queue empty")
        return cycle.Received(len(messages))

    def _process(self, messages: Sequence[Received]) -> None:
        now, received_at = self._clock.monotonic(), self._clock.time()
        self._busy_since = self._busy_since or now
        self._tally.add(Counts(received=len(messages)))
        self._hand.take(messages, now)
        if self._stop.requested():  # the receive was under way when stopping was asked for
            self._settler.give_back(self._hand.close())
        latest_year = datetime.fromtimestamp(received_at, UTC).year + 1
        handle = partial(self._handle, received_at, latest_year)
        settled_at = now
        for _ in self._crew(handle, messages):
            if self._clock.monotonic() - settled_at >= cycle.SETTLE_SECONDS:
                self._settler.settle(self._hand.take_finished())
                settled_at = self._clock.monotonic()
        self._settler.settle(self._hand.take_finished())

    def _handle(self, received_at: float, latest_year: int, message: Received) -> None:
        if not self._stop.requested() and self._hand.start(message):
            self._hand.finish(
                attempt(self._handler, self._clock, message, received_at, latest_year)
            )
