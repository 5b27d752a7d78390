"""The end of an attempt: write its line, delete what was processed, return what was not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumer.attempt import AttemptResult
from consumer.logs.counts import Counts
from consumer.logs.events import get_logger
from consumer.logs.message_log import content_lines
from shared.errors import QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.attempt import Attempt
    from consumer.in_flight import InFlight
    from consumer.logs.counts import CycleCounter
    from consumer.ports import Ports
    from consumer.retry import RetryDelays
    from shared.queue import ReceivedMessage, Refusal

log = get_logger(__name__)

DELETE_ATTEMPTS: Final = 3
DELETE_PAUSE: Final = 0.2
"""Seconds before the second attempt at a delete; twice as long before the third."""


class Acknowledger:
    """Acknowledges messages and returns messages to the queue, up to ten at a time."""

    def __init__(
        self,
        ports: Ports,
        in_flight: InFlight,
        counter: CycleCounter,
        delays: RetryDelays,
        instance_id: str,
    ) -> None:
        """Put the instance id into every message's line; `in_flight` has the visibility lock."""
        self._queue = ports.queue
        self._sink = ports.sink
        self._clock = ports.clock
        self._in_flight = in_flight
        self._counter = counter
        self._delays = delays
        self._instance_id = instance_id

    def acknowledge(self, attempts: Sequence[Attempt]) -> None:
        """Write the attempts' lines, delete processed messages, return the others for a retry.

        The lines are written before the deletes: a crash in between leaves a message that is
        received again, never one that is deleted without a line.

        Raises:
            QueueRefusedError: SQS refused a whole request, for instance for lack of permission.
        """
        if not attempts:
            return
        self._sink.write(content_lines(self._instance_id, attempts))
        processed = [
            attempt.delivery.received
            for attempt in attempts
            if attempt.result is AttemptResult.PROCESSED
        ]
        deleted = self._delete(processed)
        invalid = sum(attempt.result is AttemptResult.INVALID for attempt in attempts)
        self._counter.add(
            Counts(
                processed=len(processed),
                failed=len(attempts) - len(processed) - invalid,
                invalid=invalid,
                deleted=deleted,
            )
        )
        self._return(
            [
                (attempt.delivery.received, self._delay(attempt))
                for attempt in attempts
                if attempt.result is not AttemptResult.PROCESSED
            ]
        )

    def return_to_queue(self, messages: Sequence[ReceivedMessage]) -> None:
        """Make untouched messages visible at once, so that other consumers can receive them.

        Raises:
            QueueRefusedError: SQS refused the whole request.
        """
        if messages:
            log.info("messages returned", extra={"fields": {"message_ids": _ids(messages)}})
            self._return([(message, 0) for message in messages])

    def _delay(self, attempt: Attempt) -> int:
        invalid = attempt.result is AttemptResult.INVALID
        return self._delays.after(attempt.delivery.received.receive_count, invalid=invalid)

    def _delete(self, messages: list[ReceivedMessage]) -> int:
        """Delete the messages; return how many SQS has deleted."""
        left = messages
        for attempt in range(DELETE_ATTEMPTS):
            if not left:
                break
            if attempt:
                self._clock.sleep(DELETE_PAUSE * 2 ** (attempt - 1))
            left, reason = self._try_to_delete(left)
        if left:
            log.warning(
                "messages not deleted, they will be received again",
                extra={"fields": {"message_ids": _ids(left), "reason": reason}},
            )
        return len(messages) - len(left)

    def _try_to_delete(self, messages: list[ReceivedMessage]) -> tuple[list[ReceivedMessage], str]:
        """Return the messages that were not deleted, and why."""
        try:
            refusals = self._queue.delete([message.receipt for message in messages])
        except QueueUnavailableError as error:
            return messages, str(error)
        return [messages[refusal.index] for refusal in refusals], _reasons(refusals)

    def _return(self, changes: list[tuple[ReceivedMessage, int]]) -> None:
        """Make each message visible again after its delay, in whole seconds."""
        if not changes:
            return
        try:
            with self._in_flight.visibility_lock:
                refusals = self._queue.change_visibility(
                    [(message.receipt, seconds) for message, seconds in changes]
                )
        except QueueUnavailableError as error:
            refused, reason = [message for message, _ in changes], str(error)
        else:
            refused = [changes[refusal.index][0] for refusal in refusals]
            reason = _reasons(refusals)
        if refused:
            log.warning(
                "messages not returned, they will be received again after their visibility timeout",
                extra={"fields": {"message_ids": _ids(refused), "reason": reason}},
            )


def _ids(messages: Sequence[ReceivedMessage]) -> list[str]:
    return [message.message_id for message in messages]


def _reasons(refusals: Sequence[Refusal]) -> str:
    return "; ".join(sorted({f"{refusal.code} {refusal.reason}" for refusal in refusals}))
