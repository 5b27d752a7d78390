"""Sending: several batches at once, with retries of what SQS may accept later."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Semaphore
from typing import TYPE_CHECKING, Final

from producer.errors import SentLogError
from shared.errors import QueueUnavailableError, WorkloadError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from producer.messages.outgoing_message import OutgoingMessage
    from producer.ports import Destination
    from producer.send_results import SendResults
    from shared.queue import SendBatchResult
    from shared.stopping import StopSwitch

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 20.0
"""Seconds, the longest pause of AWS's SDKs ("Retry behavior", AWS SDKs and Tools guide)."""


@dataclass(frozen=True, slots=True)
class SendLimits:
    """Limits of sending: attempts per message, and batches that are sent at once."""

    attempts: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class SortedResult:
    """Messages of one attempt: accepted, with SQS's id; refused or to retry, with the reason."""

    accepted: list[tuple[OutgoingMessage, str]]
    refused: list[tuple[OutgoingMessage, str]]
    retry: list[tuple[OutgoingMessage, str]]


def sort_result(messages: Sequence[OutgoingMessage], result: SendBatchResult) -> SortedResult:
    """Sort a batch's messages into accepted ones, refused ones, and ones to retry.

    A message that SQS's answer does not mention is one to retry.
    """
    by_result = SortedResult(
        [(messages[i], message_id) for i, message_id in result.sent.items()], [], []
    )
    refusals = {refusal.index: refusal for refusal in result.refused}
    if len(result.sent) < len(messages):
        for index, message in enumerate(messages):
            if refusal := refusals.get(index):
                target = by_result.retry if refusal.retry else by_result.refused
                target.append((message, f"{refusal.code} {refusal.reason}".rstrip()))
            elif index not in result.sent:
                by_result.retry.append((message, "SQS's answer does not mention it"))
    return by_result


def pause_before(attempt: int, rng: Random) -> float:
    """Return the seconds to wait before this attempt (2 is the first retry).

    The pause is random, between 0 and a limit that doubles each time: 0.5, 1, 2, ... up to 20
    seconds. The AWS Architecture Blog calls this "full jitter" ("Exponential Backoff And Jitter").
    """
    return rng.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 2)))


class Sender:
    """Sends batches from a few threads; the first error that ends the run requests a stop.

    Every message submitted is recorded exactly once: as accepted, failed or unsent.
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
        self._attempts = limits.attempts
        self._rng = rng
        self._slots = Semaphore(limits.in_flight)
        self._pool = ThreadPoolExecutor(limits.in_flight, thread_name_prefix="sender")
        self.error: WorkloadError | None = None
        self._crash: Exception | None = None

    def submit(self, messages: Sequence[OutgoingMessage]) -> None:
        """Send a batch in the background; wait first while as many as allowed are being sent.

        Once a stop is requested, the batch is recorded as unsent instead.
        """
        self._slots.acquire()
        if self._stop.requested():
            self._slots.release()
            self._results.record_unsent(messages)
        else:
            self._pool.submit(self._deliver, messages)

    def finish(self) -> None:
        """Wait until no batch is being sent; then `error` is what ended the run, if anything.

        Raises:
            Exception: an unexpected error in a thread, such as a closed output of a dry run.
        """
        self._pool.shutdown()
        if self._crash:
            raise self._crash

    def _deliver(self, messages: Sequence[OutgoingMessage]) -> None:
        try:
            self._try_all_attempts(messages)
        except WorkloadError as error:
            self._end_run(error)
        except Exception as error:  # noqa: BLE001 - raised again by `finish`
            self._crash = error
            self._stop.request()
        finally:
            self._slots.release()

    def _try_all_attempts(self, messages: Sequence[OutgoingMessage]) -> None:
        remaining = [(message, "") for message in messages]
        unavailable: QueueUnavailableError | None = None
        for attempt in range(1, self._attempts + 1):
            batch = [message for message, _ in remaining]
            if attempt > 1 and self._stop.wait(pause_before(attempt, self._rng)):
                self._results.record_unsent(batch)
                return
            remaining, unavailable = self._try_once(batch)
            if not remaining:
                return
            if unavailable and attempt < self._attempts:
                self._results.report_delay(str(unavailable))
        count = f"after {self._attempts} attempts" if self._attempts > 1 else "after 1 attempt"
        self._results.record_failed(
            [(message, f"{reason} ({count})") for message, reason in remaining]
        )
        if unavailable:
            self._end_run(QueueUnavailableError(f"gave up {count}: {unavailable}"))

    def _try_once(
        self, messages: Sequence[OutgoingMessage]
    ) -> tuple[list[tuple[OutgoingMessage, str]], QueueUnavailableError | None]:
        try:
            result = self._destination.send([message.body for message in messages])
        except QueueUnavailableError as error:
            return [(message, str(error)) for message in messages], error
        except Exception:
            self._results.record_unsent(messages)
            raise
        by_result = sort_result(messages, result)
        if by_result.refused:
            self._results.record_failed(by_result.refused)
        try:
            self._results.record_accepted(by_result.accepted)
        except SentLogError:
            self._results.record_unsent([message for message, _ in by_result.retry])
            raise
        return by_result.retry, None

    def _end_run(self, error: WorkloadError) -> None:
        self.error = self.error or error
        self._stop.request()
