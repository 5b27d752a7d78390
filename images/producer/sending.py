"""Sending: several batches at once, with retries of what SQS may accept later."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import SimpleQueue
from threading import Condition, Thread
from typing import TYPE_CHECKING, Final

from producer.errors import RecordError
from producer.send_answers import Waiting, out_of_order, sort_result
from shared.errors import QueueUnavailableError, WorkloadError
from shared.retries import pause_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    from producer.messages.outgoing_message import OutgoingMessage
    from producer.ports import Destination
    from producer.send_answers import SortedResult
    from producer.send_results import SendResults
    from shared.stopping import StopSwitch

GRACE: Final = 5.0
"""Seconds that requests under way have after a stop: an answer usually takes a tenth of one."""

LOOK: Final = 0.2
"""Seconds between two looks at a stop, which a signal requests, while waiting for a batch."""


@dataclass(frozen=True, slots=True)
class SendLimits:
    """Limits of sending: attempts per message, and batches that are sent at once.

    With `ordered`, a batch waits for every earlier one that has a group in common with it, so that
    nothing overtakes a message of its group. After a stop, requests under way have `grace` seconds.
    """

    attempts: int
    in_flight: int
    ordered: bool = False
    grace: float = GRACE


@dataclass(slots=True, eq=False)
class _Flight:
    """A batch under way: what is not answered yet, its groups, whether a request is open."""

    waiting: list[Waiting]
    groups: frozenset[str | None]
    asking: bool = False
    abandoned: bool = False


class _AbandonedError(Exception):
    """The run has ended without waiting for this batch any longer."""


class Sender:
    """Sends batches from a few threads; the first error that ends the run requests a stop.

    Every message submitted is recorded exactly once: as accepted, failed, unsent or indeterminate.
    The threads are daemons, since a request that hangs must not keep the program alive.
    """

    def __init__(
        self,
        destination: Destination,
        results: SendResults,
        stop: StopSwitch,
        limits: SendLimits,
        rng: Random,
    ) -> None:
        """Send to the destination and record there; `rng` draws the pauses before retries."""
        self._destination = destination
        self._results = results
        self._stop = stop
        self._limits = limits
        self._rng = rng
        self._condition = Condition()
        self._flights: list[_Flight] = []
        self._work: SimpleQueue[_Flight | None] = SimpleQueue()
        self._threads: list[Thread] = []
        self.error: WorkloadError | None = None
        self._crash: Exception | None = None

    def submit(self, messages: Sequence[OutgoingMessage]) -> None:
        """Send a batch in the background; wait first while as many as allowed are being sent.

        Once a stop is requested, the batch is recorded as unsent instead.
        """
        groups = frozenset(item.group_id for item in messages if self._limits.ordered)
        waiting = [Waiting(item, self._results.perhaps_sent_before(item)) for item in messages]
        flight = _Flight(waiting, groups)
        with self._condition:
            while not self._stop.requested() and self._must_wait(groups):
                self._condition.wait(LOOK)
            if not self._stop.requested():
                self._flights.append(flight)
                self._work.put(flight)
                if len(self._threads) < len(self._flights):
                    self._threads.append(Thread(target=self._work_off, name="sender", daemon=True))
                    self._threads[-1].start()
                return
        self._results.record_unsent(messages)

    def finish(self, hurried: Callable[[], bool] = lambda: False) -> None:
        """Wait until no batch is being sent; then `error` is what ended the run, if anything.

        After a stop, requests have their grace to end, or until `hurried`. What has no answer then
        is recorded as indeterminate.

        Raises:
            Exception: an unexpected error in a thread, such as a closed output of a dry run.
        """
        until: float | None = None
        with self._condition:
            while self._flights:
                if self._stop.requested():
                    until = until or time.monotonic() + self._limits.grace
                    if hurried() or time.monotonic() >= until:
                        break
                self._condition.wait(LOOK)
            for flight in self._flights:
                flight.abandoned = True
                self._leave(flight)
        for _ in self._threads:
            self._work.put(None)
        if self._crash:
            raise self._crash

    def _must_wait(self, groups: frozenset[str | None]) -> bool:
        return len(self._flights) >= self._limits.in_flight or any(
            flight.groups & groups for flight in self._flights
        )

    def _work_off(self) -> None:
        for flight in iter(self._work.get, None):
            try:
                self._try_all_attempts(flight)
            except _AbandonedError:
                pass
            except WorkloadError as error:
                self._end_run(error)
            except Exception as error:  # noqa: BLE001 - raised again by `finish`
                self._crash = error
                self._stop.request()
            finally:
                with self._condition:
                    self._flights.remove(flight)
                    self._condition.notify_all()

    def _try_all_attempts(self, flight: _Flight) -> None:
        unavailable: QueueUnavailableError | None = None
        attempts = self._limits.attempts
        for attempt in range(1, attempts + 1):
            if attempt > 1 and self._stop.wait(pause_before(attempt, self._rng)):
                with self._settling(flight):
                    self._leave(flight)
                return
            unavailable = self._try_once(flight)
            if not flight.waiting:
                return
            if unavailable and attempt < attempts:
                self._results.report_delay(str(unavailable))
        count = f"after {attempts} attempts" if attempts > 1 else "after 1 attempt"
        with self._settling(flight):
            self._results.record_indeterminate(
                [item.message for item in flight.waiting if item.answer_lost]
            )
            self._results.record_failed(
                [
                    (item.message, f"{item.reason} ({count})")
                    for item in flight.waiting
                    if not item.answer_lost
                ]
            )
        if unavailable or self._limits.ordered:
            reason = unavailable or flight.waiting[0].reason
            self._end_run(QueueUnavailableError(f"gave up {count}: {reason}"))

    def _try_once(self, flight: _Flight) -> QueueUnavailableError | None:
        messages = [item.message for item in flight.waiting]
        try:
            with self._settling(flight):
                self._results.record_sending(messages)
                flight.asking = True
            result = self._destination.send([message.entry() for message in messages])
        except QueueUnavailableError as error:
            with self._settling(flight):
                flight.asking = False
                if not error.answer_lost:
                    self._results.record_not_taken(messages)
                for item in flight.waiting:
                    item.reason = str(error)
                    item.answer_lost |= error.answer_lost
            return error
        except Exception as error:
            with self._settling(flight):
                flight.asking = False
                if isinstance(error, WorkloadError):  # SQS refused it, or was not asked
                    self._results.record_not_taken(messages)
                self._leave(flight)
            raise
        with self._settling(flight):
            flight.asking = False
            self._record(flight, sort_result(messages, result))
        return None

    def _record(self, flight: _Flight, by_result: SortedResult) -> None:
        lost = {id(item.message) for item in flight.waiting if item.answer_lost}
        refused = [message for message, _ in by_result.refused]
        later = [item.message for item in by_result.retry if not item.answer_lost]
        self._results.record_not_taken([*refused, *later])
        flight.waiting = [
            replace(item, answer_lost=item.answer_lost or id(item.message) in lost)
            for item in by_result.retry
        ]
        # What SQS refuses now it may have taken before, when its answer was lost.
        self._results.record_indeterminate([item for item in refused if id(item) in lost])
        if failed := [one for one in by_result.refused if id(one[0]) not in lost]:
            self._results.record_failed(failed)
        if lost and not self._limits.ordered:
            # a FIFO queue drops what it has already, by the deduplication id
            self._results.record_perhaps_twice(
                [message for message, _ in by_result.accepted if id(message) in lost]
            )
        try:
            self._results.record_accepted(by_result.accepted)
        except RecordError:
            self._leave(flight)
            raise
        if self._limits.ordered:
            for message in out_of_order(by_result):
                self._results.record_out_of_order(message)

    def _leave(self, flight: _Flight) -> None:
        """Record what is left of a batch that will not be tried again."""
        unknown = [item.message for item in flight.waiting if item.answer_lost or flight.asking]
        known = [item.message for item in flight.waiting if not (item.answer_lost or flight.asking)]
        flight.waiting = []
        self._results.record_indeterminate(unknown)
        self._results.record_unsent(known, asked=True)

    @contextmanager
    def _settling(self, flight: _Flight) -> Iterator[None]:
        """Change a batch's state, unless `finish` has given it up meanwhile."""
        with self._condition:
            if flight.abandoned:
                raise _AbandonedError
            yield

    def _end_run(self, error: WorkloadError) -> None:
        self.error = self.error or error
        self._stop.request()
