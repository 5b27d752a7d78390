"""Sends batches, several at once, and tries again what SQS may take later."""

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

    from producer.outgoing_message import Outgoing
    from producer.ports import Destination, Stopping
    from producer.send_results import Ledger
    from shared.queue import SendResult

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 20.0
"""Seconds: AWS's SDKs wait at most as long ("Retry behavior", AWS SDKs and Tools guide)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt: accepted with SQS's id; refused and again with a reason."""

    accepted: list[tuple[Outgoing, str]]
    refused: list[tuple[Outgoing, str]]
    again: list[tuple[Outgoing, str]]


def sort_out(messages: Sequence[Outgoing], result: SendResult) -> Outcome:
    """Tell apart what SQS took, what it never will, and what to try again.

    A message that SQS does not mention at all is one to try again.
    """
    outcome = Outcome([(messages[i], message_id) for i, message_id in result.sent.items()], [], [])
    refusals = {refusal.index: refusal for refusal in result.refused}
    if len(result.sent) < len(messages):
        for index, message in enumerate(messages):
            if refusal := refusals.get(index):
                target = outcome.again if refusal.retry else outcome.refused
                target.append((message, f"{refusal.code} {refusal.reason}".rstrip()))
            elif index not in result.sent:
                outcome.again.append((message, "SQS said nothing about it"))
    return outcome


def pause_before(attempt: int, rng: Random) -> float:
    """Return the seconds to wait before this attempt (2 is the first repetition).

    A random part of a limit that doubles each time: "full jitter", as in "Exponential Backoff
    And Jitter" on the AWS Architecture Blog.
    """
    return rng.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 2)))


class Sender:
    """Sends batches from a few threads; the first error that ends the run asks to stop.

    Every message submitted is booked exactly once: accepted, failed, or left unsent.
    """

    def __init__(  # noqa: PLR0913 - the parts it plays together
        self,
        destination: Destination,
        ledger: Ledger,
        stop: Stopping,
        *,
        attempts: int,
        in_flight: int,
        rng: Random,
    ) -> None:
        """Keep up to `in_flight` batches under way, each tried up to `attempts` times."""
        self._destination = destination
        self._ledger = ledger
        self._stop = stop
        self._attempts = attempts
        self._rng = rng
        self._slots = Semaphore(in_flight)
        self._pool = ThreadPoolExecutor(in_flight, thread_name_prefix="sender")
        self.error: WorkloadError | None = None
        self._crash: Exception | None = None

    def submit(self, messages: Sequence[Outgoing]) -> None:
        """Hand over a batch; waits while as many as allowed are under way.

        Once stopping is asked for, the batch is booked as unsent instead.
        """
        self._slots.acquire()
        if self._stop.requested():
            self._slots.release()
            self._ledger.leave(messages)
        else:
            self._pool.submit(self._deliver, messages)

    def finish(self) -> None:
        """Wait until nothing is under way; then `error` says what ended the run, if anything.

        Raises:
            Exception: what nobody foresaw in a thread, such as a closed output of a dry run.
        """
        self._pool.shutdown()
        if self._crash:
            raise self._crash

    def _deliver(self, messages: Sequence[Outgoing]) -> None:
        try:
            self._try_all_attempts(messages)
        except WorkloadError as error:
            self._halt(error)
        except Exception as error:  # noqa: BLE001 - raised again by `finish`
            self._crash = error
            self._stop.request()
        finally:
            self._slots.release()

    def _try_all_attempts(self, messages: Sequence[Outgoing]) -> None:
        again = [(message, "") for message in messages]
        unavailable: QueueUnavailableError | None = None
        for attempt in range(1, self._attempts + 1):
            waiting = [message for message, _ in again]
            if attempt > 1 and self._stop.wait(pause_before(attempt, self._rng)):
                self._ledger.leave(waiting)
                return
            again, unavailable = self._try_once(waiting)
            if not again:
                return
            if unavailable and attempt < self._attempts:
                self._ledger.delay(str(unavailable))
        count = f"after {self._attempts} attempts" if self._attempts > 1 else "after 1 attempt"
        self._ledger.fail([(message, f"{reason} ({count})") for message, reason in again])
        if unavailable:
            self._halt(QueueUnavailableError(f"gave up {count}: {unavailable}"))

    def _try_once(
        self, messages: Sequence[Outgoing]
    ) -> tuple[list[tuple[Outgoing, str]], QueueUnavailableError | None]:
        try:
            result = self._destination.send([message.body for message in messages])
        except QueueUnavailableError as error:
            return [(message, str(error)) for message in messages], error
        except Exception:
            self._ledger.leave(messages)
            raise
        outcome = sort_out(messages, result)
        if outcome.refused:
            self._ledger.fail(outcome.refused)
        try:
            self._ledger.accept(outcome.accepted)
        except SentLogError:
            self._ledger.leave([message for message, _ in outcome.again])
            raise
        return outcome.again, None

    def _halt(self, error: WorkloadError) -> None:
        self.error = self.error or error
        self._stop.request()
