"""Running the worker, and ending it in order when somebody asks or something fails.

The worker has a thread of its own, so that the main thread can keep the time limit of a shutdown
even while a handler does not come back.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from shared.errors import QueueError
from shared.stopping import Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.acknowledge import Settler
    from consumer.in_flight import Hand
    from consumer.ports import Clock
    from consumer.worker import Worker

log = logging.getLogger(__name__)

FOR_EVER: Final = 1e9
"""Seconds, some thirty years."""

LAST_CALLS_SECONDS: Final = 10.0
"""Limit for the last calls to SQS, and again for flushing logs: an endpoint that has gone silent
must not keep the process."""


class Stoppable(Stop, Protocol):
    """A Stop that the program itself can pull."""

    def request(self) -> None:
        """Ask to stop."""
        ...


@dataclass(frozen=True, slots=True)
class Ending:
    """How the worker ended: with an error or not, and whether threads are still at work."""

    error: BaseException | None
    stuck: bool


def supervise(  # noqa: PLR0913 - what a shutdown has to look after
    *,
    worker: Worker,
    hand: Hand,
    settler: Settler,
    stop: Stoppable,
    clock: Clock,
    drain: float,
    receive_wait: int,
) -> Ending:
    """Run the worker until stopping is asked for or it fails, then empty the hand.

    Messages that wait are returned at once; handlers that run may finish within `drain` seconds,
    then their messages are returned too. A receive under way is left to end, `receive_wait`
    seconds at most: SQS would hide what it hands to a broken connection until the visibility
    timeout is over.
    """
    errors: list[BaseException] = []
    thread = threading.Thread(target=_run, args=(worker, stop, errors), name="worker", daemon=True)
    thread.start()
    stop.wait(FOR_EVER)
    deadline = clock.monotonic() + drain
    log.info("stopping", extra={"fields": {"in_hand": len(hand), "drain_seconds": drain}})
    within(drain, lambda: _return_waiting(hand, settler))
    thread.join(max(0.0, deadline - clock.monotonic()))
    if thread.is_alive() and worker.receiving:
        thread.join(receive_wait + 1)
    stuck = thread.is_alive()
    settled = within(LAST_CALLS_SECONDS, lambda: _empty(hand, settler, worker, stuck=stuck))
    return Ending(errors[0] if errors else None, stuck or not settled)


def within(seconds: float, function: Callable[[], object]) -> bool:
    """Call the function, but wait for it no longer than this; tell whether it came back."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def _run(worker: Worker, stop: Stoppable, errors: list[BaseException]) -> None:
    try:
        worker.run()
    except BaseException as error:  # noqa: BLE001 - a handler may even call sys.exit()
        errors.append(error)
    finally:
        stop.request()


def _return_waiting(hand: Hand, settler: Settler) -> None:
    try:
        settler.give_back(hand.close())
    except QueueError as error:
        log.warning("messages not returned", extra={"fields": {"reason": str(error)}})


def _empty(hand: Hand, settler: Settler, worker: Worker, *, stuck: bool) -> None:
    """Settle what is finished, return what is not, write the last counts."""
    try:
        settler.settle(hand.take_finished())
        unfinished = hand.give_up()
        if unfinished and stuck:
            ids = [message.message_id for message in unfinished]
            log.warning(
                "handler still running at the limit", extra={"fields": {"message_ids": ids}}
            )
        settler.give_back(unfinished)
        worker.report()
    except QueueError as error:
        log.warning("messages not returned", extra={"fields": {"reason": str(error)}})
    except OSError:
        log.debug("standard output is gone")
