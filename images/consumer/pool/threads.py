"""Threads of the consumer as a pool: each calls the handler with one message, or batch, at a time.

Python cannot end a thread. At its time limit a handler is given up: its message is reported, its
thread is left to itself and replaced. Whoever needs more than that uses processes.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.attempt import AttemptResult
from consumer.handlers.errors import HandlerError
from consumer.handlers.handler import HandlerKind
from consumer.handlers.verdict import Verdict
from consumer.logs.events import get_logger
from consumer.pool.calls import Call
from consumer.waiting import create_waiting
from shared.errors import WorkloadError
from shared.quotas import MAX_BATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.attempt import Attempt
    from consumer.delivery import Delivery
    from consumer.handlers.handler import Handler
    from consumer.ports import PoolReports, Ports

log = get_logger(__name__)

MOST_LEFT: Final = 10
"""Threads that may be left to themselves: each keeps its memory, its locks and its connections."""


class TooManyLeftError(WorkloadError):
    """So many handlers did not end at their limit that the consumer has to start anew."""


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """What a pool of threads keeps to.

    Attributes:
        concurrency: how many messages, or batches, are handled at the same time.
        seconds: the time limit of a message, or of a batch.
        fifo: whether the order of message groups is kept.
    """

    concurrency: int
    seconds: float
    fifo: bool = False


class ThreadPool:
    """Threads that take deliveries in turn, and one that watches their time limits."""

    def __init__(
        self, load: Callable[[], Handler], limits: PoolLimits, ports: Ports, reports: PoolReports
    ) -> None:
        """Load the handler at the start; report what happens to `reports`."""
        self._load = load
        self._limits = limits
        self._clock = ports.clock
        self._threads = ports.threads
        self._reports = reports
        self._changed = ports.threads.condition()
        self._closing = ports.threads.condition()
        self._waiting = create_waiting(fifo=limits.fifo)
        self._calls: list[Call] = []  # in the order of their beginning
        self._handler: Handler | None = None
        self._batch = 1
        self._working = 0
        self._left = 0
        self._closed = self._shut_down = False
        self._process = os.getpid()

    @property
    def slots(self) -> int:
        """Return how many messages are handled at the same time."""
        return self._limits.concurrency * self._batch

    def start(self) -> None:
        """Load the handler and start the threads; raises HandlerError."""
        self._handler = handler = self._load()
        handler.startup()
        if handler.kind is HandlerKind.BATCH:
            self._batch = MAX_BATCH
        for _ in range(self._limits.concurrency):
            self._start_thread(handler)
        self._threads.start("time limits", self._watch)

    def submit(self, deliveries: Sequence[Delivery]) -> None:
        """Let the deliveries be handled, in this order."""
        with self._changed:
            self._waiting.add(deliveries)
            self._changed.notify_all()

    def withdraw(self, keep: int) -> list[Delivery]:
        """Take back what no handler has yet, all but the first `keep`."""
        with self._changed:
            return self._waiting.withdraw(keep)

    def running(self) -> dict[int, float]:
        """Return the deadline of every delivery that the handler has, by its key."""
        with self._changed:
            epoch = self._clock.time() - self._clock.monotonic()
            return {
                delivery.key: epoch + call.deadline
                for call in self._calls
                for delivery in call.deliveries
            }

    def close(self, seconds: float) -> bool:
        """Let running handlers end, then shut the handler down; return whether all has ended."""
        with self._closing:
            self._closed = True
            self._closing.notify_all()
        with self._changed:
            self._changed.notify_all()
            until = self._clock.monotonic() + seconds
            if not self._changed.wait_for(lambda: not self._working, seconds) or self._left:
                return False
        if not self._shut_down and self._handler is not None:
            self._shut_down = True
            try:
                shutting = self._threads.start("shutdown", self._run_shutdown)
            except RuntimeError as error:  # no thread is left, and the messages have to be returned
                log.warning("handler not shut down", extra={"fields": {"reason": str(error)}})
                return True
            shutting.join(max(0.0, until - self._clock.monotonic()))
            return not shutting.is_alive()
        return True

    def _start_thread(self, handler: Handler) -> None:
        with self._changed:
            self._working += 1
        self._threads.start("handler", lambda: self._serve(handler))

    def _serve(self, handler: Handler) -> None:
        """Handle deliveries until the pool is closed, or until this thread is given up."""
        while call := self._next():
            verdicts = self._verdicts(handler, call)
            if not self._finish(call, verdicts):
                seconds = round(self._clock.monotonic() - call.started, 3)
                fields = {"message_ids": call.ids(), "duration_seconds": seconds}
                log.info("handler ended after its time limit", extra={"fields": fields})
                return
        with self._changed:
            self._working -= 1
            self._changed.notify_all()

    def _next(self) -> Call | None:
        """Wait for the next deliveries that may start; None once the pool is closed."""
        taken: list[Delivery] = []

        def take() -> bool:
            if not self._closed:
                taken.extend(self._waiting.take(self._batch, batch=self._batch > 1))
            return bool(taken) or self._closed

        while True:
            taken.clear()
            with self._changed:
                self._changed.wait_for(take)
                if not taken:
                    return None
                started = [one for one in taken if self._reports.start(one.key)]
                call = Call(started, self._clock.monotonic(), self._limits.seconds)
                if started:
                    self._calls.append(call)
            for delivery in taken:
                if delivery not in started:  # another consumer may have it: its followers wait
                    self._end(delivery, AttemptResult.FAILED)
            if started:
                return call

    def _verdicts(self, handler: Handler, call: Call) -> list[Verdict]:
        def extend(_place: int, seconds: float) -> None:
            with self._changed:
                call.deadline = max(call.deadline, self._clock.monotonic() + seconds)

        arrivals = call.arrivals(self._clock.time() + self._limits.seconds)
        verdicts = handler.call(arrivals, extend)
        if os.getpid() != self._process:
            # The handler has forked, and its child came back here: there is no consumer in it.
            os._exit(0 if verdicts[0].result is AttemptResult.PROCESSED else 1)
        return verdicts

    def _finish(self, call: Call, verdicts: Sequence[Verdict]) -> bool:
        """Report the attempts of a call, unless it was given up before."""
        with self._changed:
            if call.given_up:
                self._left -= 1
                return False
            self._calls.remove(call)
        self._report(call, verdicts)
        return True

    def _report(self, call: Call, verdicts: Sequence[Verdict]) -> None:
        """Report the attempts of a call and let the message groups go on."""
        duration, finished_at = self._clock.monotonic() - call.started, self._clock.time()
        for attempt in call.attempts(verdicts, duration, finished_at):
            self._end(attempt.delivery, attempt.result, attempt)

    def _end(
        self, delivery: Delivery, result: AttemptResult, attempt: Attempt | None = None
    ) -> None:
        with self._changed:
            if not self._waiting.in_hand(delivery):
                return  # it follows a message of its group that failed in the same batch
            followers = self._waiting.finished(delivery, result)
            if self._waiting.ordered:
                self._changed.notify_all()
        if attempt is not None:
            self._reports.finished(attempt)
        if followers:
            self._reports.returned(followers)

    def _watch(self) -> None:
        """Give up every call that is over its time limit, until the pool is closed."""
        while True:
            with self._changed:
                # A call that begins during this wait ends no earlier than one full limit later.
                first = min((call.deadline for call in self._calls), default=float("inf"))
            wait = min(self._limits.seconds, first - self._clock.monotonic())
            with self._closing:
                if self._closing.wait_for(lambda: self._closed, max(0.0, wait)):
                    return
            with self._changed:
                now = self._clock.monotonic()
                late = [call for call in self._calls if call.deadline <= now]
                for call in late:
                    call.given_up = True
                    self._left += 1
                    self._working -= 1
                self._calls = [call for call in self._calls if not call.given_up]
            for call in late:
                self._give_up(call)

    def _give_up(self, call: Call) -> None:
        seconds = self._clock.monotonic() - call.started
        frame = sys._current_frames().get(call.thread)  # noqa: SLF001 - documented for this purpose
        log.warning(
            "handler over its time limit, its thread is left",
            extra={
                "fields": {
                    "message_ids": call.ids(),
                    "duration_seconds": round(seconds, 3),
                    "stack": "".join(traceback.format_stack(frame)) if frame else "",
                }
            },
        )
        reason = f"not done after {seconds:.3g} s, the time limit"
        verdict = Verdict(AttemptResult.TIMED_OUT, reason)
        self._report(call, [verdict] * len(call.deliveries))
        if self._left <= MOST_LEFT and self._handler is not None:
            with suppress(RuntimeError):  # no further thread can be started
                self._start_thread(self._handler)
                return
        self._reports.broken(
            TooManyLeftError(
                f"{self._left} handlers did not end at their time limit, and a thread cannot be "
                "ended: run handlers in processes (WORKERS above 0)"
            )
        )

    def _run_shutdown(self) -> None:
        try:
            if self._handler is not None:
                self._handler.shutdown()
        except HandlerError as error:
            log.warning("handler not shut down", extra={"fields": {"reason": str(error)}})
