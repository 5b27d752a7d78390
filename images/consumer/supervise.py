"""The worker's whole life: start, wait for the end, shut down in order.

A shutdown begins when a signal requests it, or when a part of the consumer fails. It has six steps,
and consumer.leaving.drain says how much of DRAIN_SECONDS each of them may take, because EC2 Auto
Scaling, Docker and Spot all kill a process that takes too long, and a killed consumer returns
nothing to the queue. Whatever hangs, consumer.leaving.last_resort ends the process in time.

1. No further receive starts. Of the messages that wait for a handler, those that can be finished
   within the time of handlers are kept, by how long handlers have taken so far. The others are
   returned to the queue at once, so other consumers can receive them now, not after the visibility
   timeout.
2. Handlers work on within their time, and what they finish is acknowledged as usual. The main
   thread keeps this limit even while a handler never returns.
3. A receive under way may end: SQS hides messages that it sends to a closed connection until the
   visibility timeout is over. It waits no longer than the time of handlers. The worker keeps of its
   messages what can be finished, and returns the others.
4. What has not finished by then is returned, after its handlers were ended. What has finished is
   acknowledged, so that no work is repeated only because a neighbour is stuck. If a request to SQS
   has had no answer by then, it is made again on a new connection. The last counts are written.
5. The heartbeat ends (consumer.program). Until then it keeps the messages of running handlers
   hidden from other consumers.
6. The logs are flushed, and the process exits (consumer.program). It exits without waiting for
   threads if one of them is stuck.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from consumer.flight.settlement import ids
from consumer.leaving.drain import Drain
from consumer.leaving.last_resort import FOR_EVER, say_left
from consumer.logs.events import get_logger
from shared.errors import QueueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.acknowledge import Acknowledger
    from consumer.cycle import Rhythm
    from consumer.in_flight import InFlight
    from consumer.logs.cycles import Cycles
    from consumer.ports import Pool, Ports, Thread, Threads
    from consumer.worker import Worker
    from shared.stopping import StopSwitch

log = get_logger(__name__)

HANDLERS_END_PART: Final = 1 / 4
"""Part of the time for last calls in which handlers shut down, or are ended; in order they have at
least SHUTDOWN_SECONDS if there is as much time left."""
SHUTDOWN_SECONDS: Final = 5.0
ANSWER_PART: Final = 1 / 4
"""Part of the time left after which a request counts as unanswered, and is made again."""


@dataclass(frozen=True, slots=True)
class ShutdownLimits:
    """How the time of a shutdown is divided.

    A worker that never rests (`continuous`) has its counts written while it works.
    """

    drain: Drain
    continuous: bool = False

    @staticmethod
    def of_settings(drain: float, rhythm: Rhythm) -> ShutdownLimits:
        """Return the limits of a worker with these settings."""
        return ShutdownLimits(Drain.of(drain), rhythm.poll_wait == 0)


@dataclass(frozen=True, slots=True)
class Ending:
    """How the worker ended.

    Attributes:
        error: its error, if any.
        stuck: whether some thread is still stuck.
        left: whether messages are neither deleted nor returned.
    """

    error: BaseException | None
    stuck: bool
    left: bool = False


@dataclass(frozen=True, slots=True)
class Failures:
    """The errors that end a consumer, in the order in which they happened."""

    stop: StopSwitch
    errors: list[BaseException] = field(default_factory=list)

    def add(self, error: BaseException) -> None:
        """End the consumer because of this error."""
        self.errors.append(error)
        self.stop.request()


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a consumer that live and end together."""

    ports: Ports
    worker: Worker
    pool: Pool
    in_flight: InFlight
    acknowledger: Acknowledger
    cycles: Cycles
    failures: Failures


def supervise(parts: Parts, limits: ShutdownLimits) -> Ending:
    """Run the worker until a stop is requested or it fails, then perform the shutdown's steps 1-4.

    Returns:
        How it ended, with nothing in flight any more.
    """
    ports, in_flight, drain = parts.ports, parts.in_flight, limits.drain
    acknowledging = _run(
        parts, "acknowledge", lambda: parts.acknowledger.run(report=limits.continuous)
    )
    worker = _run(parts, "worker", parts.worker.run)
    ports.stop.wait(FOR_EVER)
    deadline = ports.clock.monotonic() + drain.handlers
    log.info(
        "stopping", extra={"fields": {"in_hand": len(in_flight), "drain_seconds": drain.whole}}
    )
    in_flight.close(deadline)
    acknowledged = acknowledging.is_alive()  # otherwise handlers would work in vain
    in_order = acknowledged and not parts.failures.errors
    _return_surplus(parts, drain.handlers if in_order else 0)
    worker.join(max(0.0, deadline - ports.clock.monotonic()))
    if acknowledged:
        in_flight.wait_until_finished(max(0.0, deadline - ports.clock.monotonic()))
    ending = _LastCalls(parts, drain.calls, deadline, worker, acknowledging)
    within(ending.until - ports.clock.monotonic(), ending.make, ports.threads)
    left = say_left(in_flight, "no answer from SQS in time", receiving=parts.worker.receiving)
    errors = parts.failures.errors
    stuck = worker.is_alive() or acknowledging.is_alive() or not ending.closed
    return Ending(
        errors[0] if errors else None, stuck, left or bool(parts.acknowledger.settlement.given_up)
    )


def within(seconds: float, function: Callable[[], object], threads: Threads) -> bool:
    """Call the function and wait for it, but no longer than this; return whether it has ended.

    If no thread can be started, because handlers have used up the limit of a container, there is
    no limit in time: the calls themselves have some, and messages have to be returned.
    """
    try:
        thread = threads.start("last calls", function)
    except RuntimeError:
        function()
        return True
    thread.join(seconds)
    return not thread.is_alive()


def _run(parts: Parts, name: str, function: Callable[[], object]) -> Thread:
    """Run the function in a thread; an end that nobody requested ends the consumer."""

    def run() -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - the consumer ends, whatever it is
            parts.failures.add(error)

    return parts.ports.threads.start(name, run)


def _return_surplus(parts: Parts, seconds: float) -> None:
    """Give back what waits and cannot be finished in this time."""
    keep = parts.worker.finishable(seconds, len(parts.pool.running()))
    parts.in_flight.give_back(parts.pool.withdraw(keep))


class _LastCalls:
    """Step 4: `closed` is True once all handlers have ended; it may take until `until`."""

    def __init__(
        self, parts: Parts, seconds: float, begin: float, worker: Thread, acknowledging: Thread
    ) -> None:
        """Share out these seconds, which begin at `begin` or earlier (monotonic)."""
        self.closed = False
        self.until = begin + seconds
        self._parts = parts
        self._clock = parts.ports.clock
        self._begin = begin
        self._seconds = seconds
        self._worker = worker
        self._acknowledging = acknowledging

    def make(self) -> None:
        """Acknowledge what is finished, return what is not, write the last counts."""
        parts = self._parts
        parts.in_flight.give_back(parts.pool.withdraw(0))
        # Before its message is returned, so that no other consumer works on it at the same time.
        self.closed = parts.pool.close(self._seconds_to_close())
        try:
            if running := parts.in_flight.give_back_unfinished():
                log.warning(
                    "handler still running at the limit",
                    extra={"fields": {"message_ids": ids(running)}},
                )
            parts.in_flight.end()
            self._settle()
        except QueueError as error:
            log.warning("messages not returned", extra={"fields": {"reason": str(error)}})
        except OSError:
            log.debug("cannot write to standard output")
        with suppress(OSError):
            parts.cycles.report()

    def _seconds_to_close(self) -> float:
        """Return how long handlers may take to shut down: little if one has not ended in time."""
        least = self._seconds * HANDLERS_END_PART
        if self._parts.pool.running():
            return least
        return max(least, min(SHUTDOWN_SECONDS, self._begin - self._clock.monotonic()))

    def _settle(self) -> None:
        """Wait for requests under way, then make those again that have no answer."""
        acknowledger, in_flight = self._parts.acknowledger, self._parts.in_flight
        answer = max(0.0, self.until - self._clock.monotonic()) * ANSWER_PART
        self._acknowledging.join(answer)
        if len(in_flight) or self._worker.is_alive():
            queue = self._parts.ports.queue.afresh(answer)
            acknowledger.settlement.hurry(queue, self.until - answer)
            acknowledger.settlement.retake()
        acknowledger.run(report=False)
        self._worker.join(max(0.0, self.until - answer - self._clock.monotonic()))
        acknowledger.run(report=False)  # what its last receive has brought
