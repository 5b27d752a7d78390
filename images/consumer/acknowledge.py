"""Settling what was tried: lines first, then deletes, then when the rest comes back."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.emf import Counts
from consumer.message_log import content_lines
from consumer.outcome import Result
from consumer.retry import invalid_delay, retry_delay, whole_seconds
from shared.errors import QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.in_flight import Hand
    from consumer.outcome import Outcome
    from consumer.ports import Clock, Queue, Sink
    from consumer.tally import Tally
    from shared.queue import Received

log = logging.getLogger(__name__)

DELETE_ATTEMPTS: Final = 3
DELETE_PAUSE: Final = 0.2
"""Seconds before the second attempt at a delete; twice as long before the third."""


@dataclass(frozen=True, slots=True)
class RetryDelays:
    """How long a failed message stays away, in seconds: from `base`, doubling, to `longest`."""

    base: float
    longest: float

    def after(self, outcome: Outcome) -> int:
        """Return the whole seconds until a message that was not processed shows up again."""
        delay = invalid_delay if outcome.result is Result.INVALID else retry_delay
        return whole_seconds(delay(self.base, self.longest, outcome.received.receive_count))


class Settler:
    """Ends the consumer's part in messages; takes ten at most at a time, what a hand holds."""

    def __init__(  # noqa: PLR0913 - each is a part of settling, and they have no other common home
        self,
        *,
        queue: Queue,
        sink: Sink,
        clock: Clock,
        hand: Hand,
        tally: Tally,
        delays: RetryDelays,
        instance_id: str,
    ) -> None:
        """Settle messages of this queue, and write their lines to this sink."""
        self._queue = queue
        self._sink = sink
        self._clock = clock
        self._hand = hand
        self._tally = tally
        self._delays = delays
        self._instance_id = instance_id

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Write the outcomes' lines, delete what was processed, send back what was not.

        The lines come before the deletes: a crash in between leaves a message that comes again,
        never one that is gone without a trace.

        Raises:
            QueueRefusedError: SQS refused as a whole, for instance for want of permission.
        """
        if not outcomes:
            return
        self._sink.write(content_lines(self._instance_id, outcomes))
        processed = [outcome.received for outcome in outcomes if outcome.result is Result.PROCESSED]
        deleted = self._delete(processed)
        invalid = sum(outcome.result is Result.INVALID for outcome in outcomes)
        self._tally.add(
            Counts(
                processed=len(processed),
                failed=len(outcomes) - len(processed) - invalid,
                invalid=invalid,
                deleted=deleted,
            )
        )
        self._send_back(
            [
                (outcome.received, self._delays.after(outcome))
                for outcome in outcomes
                if outcome.result is not Result.PROCESSED
            ]
        )

    def give_back(self, messages: Sequence[Received]) -> None:
        """Return messages to the queue at once, for other workers to take.

        Raises:
            QueueRefusedError: SQS refused as a whole.
        """
        if messages:
            log.info("messages returned", extra={"fields": {"message_ids": _ids(messages)}})
            self._send_back([(message, 0) for message in messages])

    def _delete(self, messages: list[Received]) -> int:
        left = messages
        for attempt in range(DELETE_ATTEMPTS):
            if not left:
                break
            if attempt:
                self._clock.sleep(DELETE_PAUSE * 2 ** (attempt - 1))
            left, reason = self._try_to_delete(left)
        if left:
            log.warning(
                "messages not deleted, they will come again",
                extra={"fields": {"message_ids": _ids(left), "reason": reason}},
            )
        return len(messages) - len(left)

    def _try_to_delete(self, messages: list[Received]) -> tuple[list[Received], str]:
        try:
            refusals = self._queue.delete([message.receipt for message in messages])
        except QueueUnavailableError as error:
            return messages, str(error)
        reasons = "; ".join(sorted({f"{refusal.code} {refusal.reason}" for refusal in refusals}))
        return [messages[refusal.index] for refusal in refusals], reasons

    def _send_back(self, changes: list[tuple[Received, int]]) -> None:
        if not changes:
            return
        try:
            with self._hand.visibility:
                refusals = self._queue.change_visibility(
                    [(message.receipt, seconds) for message, seconds in changes]
                )
        except QueueUnavailableError as error:
            refused, reason = [message for message, _ in changes], str(error)
        else:
            refused = [changes[refusal.index][0] for refusal in refusals]
            reason = "; ".join(sorted({f"{refusal.code} {refusal.reason}" for refusal in refusals}))
        if refused:
            log.warning(
                "messages not sent back, they will come again when their visibility runs out",
                extra={"fields": {"message_ids": _ids(refused), "reason": reason}},
            )


def _ids(messages: Sequence[Received]) -> list[str]:
    return [message.message_id for message in messages]
