"""The worker's whole life: start, wait for the end, shut down in order.

A shutdown begins when a signal requests it, or when a part of the consumer fails. It has six steps.
None of them can block the process for longer than its limit, because EC2 Auto Scaling, Docker and
Spot all kill a process that takes too long, and a killed consumer returns nothing to the queue.

1. No further receive starts. Of the messages that wait for a handler, those that can be finished
   within the drain limit are kept, by how long handlers have taken so far. The others are returned
   to the queue at once, so other consumers can receive them now, not after the visibility timeout.
2. Handlers work on within the drain limit, and what they finish is acknowledged as usual. The main
   thread keeps this limit even while a handler never returns.
3. A receive under way may end, even beyond the drain limit: SQS hides messages that it sends to a
   closed connection until the visibility timeout is over. A receive takes `receive_wait` seconds
   at most. The worker keeps of its messages what can be finished, and returns the others.
4. What has not finished at the limit is returned, after its handlers were ended. What has finished
   is acknowledged, so that no work is repeated only because a neighbour is stuck. The last counts
   are written. All this takes at most LAST_CALLS_SECONDS, because SQS may be down.
5. The heartbeat ends (consumer.program). Until then it keeps the messages of running handlers
   hidden from other consumers.
6. The logs are flushed, again within LAST_CALLS_SECONDS, and the process exits (consumer.program).
   It exits without waiting for threads if one of them is stuck.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from consumer.logs.events import get_logger
from shared.errors import QueueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.acknowledge import Acknowledger
    from consumer.cycle import Rhythm
    from consumer.delivery import Delivery
    from consumer.in_flight import InFlight
    from consumer.logs.cycles import Cycles
    from consumer.ports import Pool, Ports, Thread, Threads
    from consumer.worker import Worker
    from shared.stopping import StopSwitch

log = get_logger(__name__)

FOR_EVER: Final = 1e9
"""Seconds, some thirty years."""

LAST_CALLS_SECONDS: Final = 10.0
"""Limit for the last calls to SQS, and again for flushing the logs: an endpoint that does not
answer must not keep the process from exiting."""

POOL_SECONDS: Final = 5.0
"""Time for handlers to shut down in order, within LAST_CALLS_SECONDS."""

KILL_SECONDS: Final = 1.0
"""The same, while a handler still runs at the drain limit and is going to be ended."""


@dataclass(frozen=True, slots=True)
class ShutdownLimits:
    """Seconds that running handlers (`drain`) and a receive under way (`receive_wait`) get.

    A worker that never rests (`continuous`) has its counts written while it works.
    """

    drain: float
    receive_wait: int
    continuous: bool = False

    @staticmethod
    def of_settings(drain: float, rhythm: Rhythm) -> ShutdownLimits:
        """Return the limits of a worker with these settings."""
        return ShutdownLimits(drain, rhythm.receive_wait, rhythm.poll_wait == 0)


@dataclass(frozen=True, slots=True)
class Ending:
    """How the worker ended: its error, if any, and whether some thread is still stuck."""

    error: BaseException | None
    stuck: bool


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
    ports, in_flight = parts.ports, parts.in_flight
    acknowledging = _run(
        parts, "acknowledge", lambda: parts.acknowledger.run(report=limits.continuous)
    )
    worker = _run(parts, "worker", parts.worker.run)
    ports.stop.wait(FOR_EVER)
    deadline = ports.clock.monotonic() + limits.drain
    log.info(
        "stopping", extra={"fields": {"in_hand": len(in_flight), "drain_seconds": limits.drain}}
    )
    in_flight.close(deadline)
    acknowledged = acknowledging.is_alive()  # otherwise handlers would work in vain
    in_order = acknowledged and not parts.failures.errors
    _return_surplus(parts, limits.drain if in_order else 0)
    worker.join(max(0.0, deadline - ports.clock.monotonic()))
    if acknowledged:
        in_flight.drain(max(0.0, deadline - ports.clock.monotonic()))
    if worker.is_alive() and parts.worker.receiving:
        worker.join(limits.receive_wait + 1)
    closed: list[bool] = []
    within(LAST_CALLS_SECONDS, lambda: closed.append(_empty(parts, acknowledging)), ports.threads)
    stuck = worker.is_alive() or acknowledging.is_alive() or closed != [True]
    errors = parts.failures.errors
    return Ending(errors[0] if errors else None, stuck)


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


def _empty(parts: Parts, acknowledging: Thread) -> bool:
    """Acknowledge what is finished, return what is not, write the last counts.

    Returns:
        Whether all handlers have ended.
    """
    parts.in_flight.give_back(parts.pool.withdraw(0))
    # Before its message is returned, so that no other consumer works on it at the same time.
    closed = parts.pool.close(KILL_SECONDS if parts.pool.running() else POOL_SECONDS)
    try:
        running, waiting = parts.in_flight.take_unfinished()
        if running:
            log.warning(
                "handler still running at the limit",
                extra={"fields": {"message_ids": _ids(running)}},
            )
        parts.acknowledger.return_to_queue([*waiting, *running])
        parts.in_flight.end()
        acknowledging.join()
        parts.acknowledger.run(report=False)  # if its thread has failed before
    except QueueError as error:
        log.warning("messages not returned", extra={"fields": {"reason": str(error)}})
    except OSError:
        log.debug("cannot write to standard output")
    with suppress(OSError):
        parts.cycles.report()
    return closed


def _ids(deliveries: list[Delivery]) -> list[str]:
    return [delivery.received.message_id for delivery in deliveries]
