"""The worker's whole life: start, wait for the end, shut down in order.

A shutdown begins when a signal requests it, or when the worker ends by itself with an error. It
has six steps. None of them can block the process for longer than its limit, because EC2 Auto
Scaling, Docker and Spot all kill a process that takes too long, and a killed consumer returns
nothing to the queue.

1. No further handler starts. Messages that wait for their handler are returned to the queue at
   once, so other consumers can receive them now, not after the visibility timeout.
2. Handlers that run may finish, within the drain limit. The worker acknowledges their messages as
   usual. It runs in a thread of its own, so the main thread can keep this limit even while a
   handler never returns.
3. A receive under way may end, even beyond the drain limit: SQS hides messages that it sends to a
   closed connection until the visibility timeout is over. A receive takes `receive_wait` seconds
   at most. The worker returns its messages to the queue, since handlers no longer start.
4. What has finished is acknowledged, so that no work is repeated only because a neighbour is
   stuck. What has not finished is returned: its handler still runs at the limit, or the worker
   has failed. The last counts are written. All this takes at most LAST_CALLS_SECONDS, because SQS
   may be down.
5. The heartbeat ends (consumer.program). Until then it keeps the messages of running handlers
   hidden from other consumers.
6. The logs are flushed, again within LAST_CALLS_SECONDS, and the process exits (consumer.program).
   It exits without waiting for threads if one of them is stuck.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.logs.events import get_logger
from shared.errors import QueueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.acknowledge import Acknowledger
    from consumer.in_flight import InFlight
    from consumer.ports import Ports
    from consumer.worker import Worker
    from shared.stopping import StopSwitch

log = get_logger(__name__)

FOR_EVER: Final = 1e9
"""Seconds, some thirty years."""

LAST_CALLS_SECONDS: Final = 10.0
"""Limit for the last calls to SQS, and again for flushing the logs: an endpoint that does not
answer must not keep the process from exiting."""


@dataclass(frozen=True, slots=True)
class ShutdownLimits:
    """Seconds that running handlers (`drain`) and a receive under way (`receive_wait`) get."""

    drain: float
    receive_wait: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How the worker ended: its error, if any, and whether some thread is still stuck."""

    error: BaseException | None
    stuck: bool


def supervise(
    worker: Worker,
    acknowledger: Acknowledger,
    in_flight: InFlight,
    ports: Ports,
    limits: ShutdownLimits,
) -> Ending:
    """Run the worker until a stop is requested or it fails, then perform the shutdown's steps 1-4.

    Returns:
        How it ended, with nothing in flight any more.
    """
    errors: list[BaseException] = []
    thread = threading.Thread(
        target=_run, args=(worker, ports.stop, errors), name="worker", daemon=True
    )
    thread.start()
    ports.stop.wait(FOR_EVER)
    deadline = ports.clock.monotonic() + limits.drain
    log.info(
        "stopping", extra={"fields": {"in_hand": len(in_flight), "drain_seconds": limits.drain}}
    )
    within(limits.drain, lambda: _return_waiting(in_flight, acknowledger))
    thread.join(max(0.0, deadline - ports.clock.monotonic()))
    if thread.is_alive() and worker.receiving:
        thread.join(limits.receive_wait + 1)
    stuck = thread.is_alive()
    emptied = within(
        LAST_CALLS_SECONDS, lambda: _empty(in_flight, acknowledger, worker, stuck=stuck)
    )
    return Ending(errors[0] if errors else None, stuck or not emptied)


def within(seconds: float, function: Callable[[], object]) -> bool:
    """Call the function and wait for it, but no longer than this; return whether it has ended."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def _run(worker: Worker, stop: StopSwitch, errors: list[BaseException]) -> None:
    try:
        worker.run()
    except BaseException as error:  # noqa: BLE001 - a handler may even call sys.exit()
        errors.append(error)
    finally:
        stop.request()


def _return_waiting(in_flight: InFlight, acknowledger: Acknowledger) -> None:
    try:
        acknowledger.return_to_queue(in_flight.close())
    except QueueError as error:
        log.warning("messages not returned", extra={"fields": {"reason": str(error)}})


def _empty(in_flight: InFlight, acknowledger: Acknowledger, worker: Worker, *, stuck: bool) -> None:
    """Acknowledge what is finished, return what is not, write the last counts."""
    try:
        acknowledger.acknowledge(in_flight.take_finished())
        unfinished = in_flight.take_unfinished()
        if unfinished and stuck:
            ids = [message.message_id for message in unfinished]
            log.warning(
                "handler still running at the limit", extra={"fields": {"message_ids": ids}}
            )
        acknowledger.return_to_queue(unfinished)
        worker.report_cycle()
    except QueueError as error:
        log.warning("messages not returned", extra={"fields": {"reason": str(error)}})
    except OSError:
        log.debug("cannot write to standard output")
