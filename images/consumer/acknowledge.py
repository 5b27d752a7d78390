"""The end of an attempt: write its line, delete what was processed, return what was not."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.attempt import AttemptResult
from consumer.cycle import ACKNOWLEDGE_SECONDS
from consumer.logs.counts import Counts
from consumer.logs.events import get_logger
from consumer.logs.message_log import content_lines
from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.quotas import MAX_BATCH, MAX_VISIBILITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.admission import Admission
    from consumer.attempt import Attempt
    from consumer.delivery import Delivery
    from consumer.in_flight import InFlight
    from consumer.logs.cycles import Cycles
    from consumer.ports import DeadLetters, Ports
    from consumer.retry import RetryDelays
    from shared.queue import Refusal

log = get_logger(__name__)

DELETE_ATTEMPTS: Final = 3
DELETE_PAUSE: Final = 0.2
"""Seconds before the second attempt at a delete; twice as long before the third."""

DELETED: Final = frozenset({AttemptResult.PROCESSED, AttemptResult.DUPLICATE})
"""Results after which nothing is left to do for a message."""


@dataclass(frozen=True, slots=True)
class Endings:
    """What becomes of messages that were not simply processed.

    Attributes:
        delays: how long failed messages wait for their next attempt.
        admission: claims that are settled, groups whose order is kept.
        dead_letters: where rejected messages are copied to; without it, a rejected message reaches
            its dead letters as an invalid one does.
    """

    delays: RetryDelays
    admission: Admission
    dead_letters: DeadLetters | None = None


class Acknowledger:
    """Acknowledges messages and returns messages to the queue, up to ten per request."""

    def __init__(
        self,
        ports: Ports,
        in_flight: InFlight,
        cycles: Cycles,
        endings: Endings,
        instance_id: str,
    ) -> None:
        """Put the instance id into every message's line; `in_flight` has the visibility lock."""
        self._queue = ports.queue
        self._sink = ports.sink
        self._clock = ports.clock
        self._in_flight = in_flight
        self._cycles = cycles
        self._delays = endings.delays
        self._claims, self._groups = endings.admission.claims, endings.admission.groups
        self._dead_letters = endings.dead_letters
        self._instance_id = instance_id

    def run(self, *, report: bool) -> None:
        """Acknowledge whatever ends, until `in_flight` has ended and nothing is left.

        With `report`, write a cycle's counts whenever it is time, for a worker that never rests.

        Raises:
            QueueRefusedError: SQS refused a whole request, for instance for lack of permission.
            OSError: a line could not be written.
        """
        while ended := self._in_flight.next_ended(MAX_BATCH, ACKNOWLEDGE_SECONDS):
            self.acknowledge(ended.attempts)
            self.return_to_queue(ended.untouched)
            self._note_lost(ended.lost)
            if report:
                self._cycles.report_if_due(idle=not len(self._in_flight))

    def acknowledge(self, attempts: Sequence[Attempt]) -> None:
        """Write the attempts' lines, delete what is done, return the others for a retry.

        The lines are written before the deletes: a crash in between leaves a message that is
        received again, never one that is deleted without a line.

        Raises:
            QueueRefusedError: SQS refused a whole request, for instance for lack of permission.
        """
        if not attempts:
            return
        self._sink.write(content_lines(self._instance_id, attempts))
        self._cycles.add(_counts(attempts))
        self._claims.settle(attempts)
        rejected = [one for one in attempts if one.result is AttemptResult.REJECTED]
        copied: Sequence[Attempt] = ()
        if rejected and self._dead_letters is not None:
            copied = self._dead_letters.send(rejected)
        done = [one for one in attempts if one.result in DELETED or one in copied]
        self._delete([one.delivery for one in done])
        delays = [(one.delivery, self._delay(one)) for one in attempts if one not in done]
        for delivery, delay in delays:
            self._groups.failed(delivery, delay)
        self._return(delays)

    def return_to_queue(self, deliveries: Sequence[Delivery]) -> None:
        """Return untouched messages, so that other consumers can receive them.

        They are visible at once, unless they follow a message of their group that failed.

        Raises:
            QueueRefusedError: SQS refused a whole request.
        """
        for begin in range(0, len(deliveries), MAX_BATCH):
            batch = deliveries[begin : begin + MAX_BATCH]
            self._claims.release(batch)
            hidden = [(delivery, self._groups.hidden(delivery)) for delivery in batch]
            if returned := self._return(hidden):
                self._cycles.add(Counts(returned=len(returned)))
                log.info("messages returned", extra={"fields": {"message_ids": _ids(returned)}})

    def _note_lost(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries:
            self._cycles.add(Counts(returned=len(deliveries)))
            self._claims.release(deliveries)
            log.warning(
                "messages not handled, because their visibility timeout was over before",
                extra={"fields": {"message_ids": _ids(deliveries)}},
            )

    def _delay(self, attempt: Attempt) -> int:
        """Return after how many seconds a message that is not done may be received again."""
        if attempt.result is AttemptResult.RETRY and attempt.retry_after is not None:
            return attempt.retry_after
        # One that was to be copied to the dead letters, and could not be, is tried again later.
        invalid = attempt.result is AttemptResult.INVALID or (
            attempt.result is AttemptResult.REJECTED and self._dead_letters is None
        )
        return self._delays.after(attempt.delivery.received.receive_count, invalid=invalid)

    def _delete(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages; the heartbeat keeps them hidden until that is done.

        A message of a group is deleted when the one before it has been. If that fails, both come
        again, in order.
        """
        self._groups.through(deliveries)
        kept: list[Delivery] = []
        for each in self._groups.in_rounds(deliveries):
            held_back = self._groups.follow(each, kept)
            if held_back:
                _warn_of_undeleted(held_back, "a message before it in its group was not deleted")
            kept += held_back
            kept += self._delete_round([one for one in each if one not in held_back])
        self._in_flight.remove(deliveries)

    def _delete_round(self, deliveries: list[Delivery]) -> list[Delivery]:
        """Delete messages in any order; return those that were not deleted."""
        left, reason = deliveries, ""
        for attempt in range(DELETE_ATTEMPTS):
            if not left:
                break
            if attempt:
                self._clock.sleep(DELETE_PAUSE * 2 ** (attempt - 1))
            left, reason = self._try_to_delete(left)
        if left:
            _warn_of_undeleted(left, reason)
        return left

    def _try_to_delete(self, deliveries: list[Delivery]) -> tuple[list[Delivery], str]:
        """Return the messages that were not deleted, and why; say which SQS has deleted."""
        try:
            refusals = self._queue.delete([delivery.received.receipt for delivery in deliveries])
        except QueueUnavailableError as error:
            return deliveries, str(error)
        except QueueRefusedError as error:
            _warn_of_undeleted(deliveries, str(error))
            raise
        refused = {refusal.index for refusal in refusals}
        deleted = [one for index, one in enumerate(deliveries) if index not in refused]
        if deleted:
            self._cycles.add(Counts(deleted=len(deleted)))
            log.info("messages deleted", extra={"fields": {"message_ids": _ids(deleted)}})
        return [deliveries[index] for index in sorted(refused)], _reasons(refusals)

    def _return(self, changes: list[tuple[Delivery, int]]) -> list[Delivery]:
        """Make each message visible again after its delay, in whole seconds; return which are."""
        if not changes:
            return []
        deliveries = [delivery for delivery, _ in changes]
        try:
            with self._in_flight.visibility_lock:
                self._in_flight.remove(deliveries)
                refusals = self._queue.change_visibility(
                    [
                        (delivery.received.receipt, min(seconds, self._longest(delivery)))
                        for delivery, seconds in changes
                    ]
                )
        except QueueUnavailableError as error:
            refused, reason = deliveries, str(error)
        except QueueRefusedError as error:
            _warn_of_unreturned(deliveries, str(error))
            raise
        else:
            refused = [deliveries[refusal.index] for refusal in refusals]
            reason = _reasons(refusals)
        if refused:
            _warn_of_unreturned(refused, reason)
        return [delivery for delivery in deliveries if delivery not in refused]

    def _longest(self, delivery: Delivery) -> int:
        """Return how long SQS still hides the message: 12 hours from its receive at most."""
        left = delivery.received_at + MAX_VISIBILITY - self._clock.time()
        return max(0, math.floor(left))


def _counts(attempts: Sequence[Attempt]) -> Counts:
    """Return how many attempts ended in which way; a crash and a time limit are failures."""
    number = Counter(attempt.result for attempt in attempts)
    return Counts(
        processed=number[AttemptResult.PROCESSED],
        failed=sum(
            number[result]
            for result in (AttemptResult.FAILED, AttemptResult.TIMED_OUT, AttemptResult.CRASHED)
        ),
        invalid=number[AttemptResult.INVALID],
        rejected=number[AttemptResult.REJECTED],
        retried=number[AttemptResult.RETRY],
        duplicates=number[AttemptResult.DUPLICATE],
    )


def _warn_of_undeleted(deliveries: Sequence[Delivery], reason: str) -> None:
    log.warning(
        "messages not deleted, they will be received again",
        extra={"fields": {"message_ids": _ids(deliveries), "reason": reason}},
    )


def _warn_of_unreturned(deliveries: Sequence[Delivery], reason: str) -> None:
    log.warning(
        "messages not returned, they will be received again after their visibility timeout",
        extra={"fields": {"message_ids": _ids(deliveries), "reason": reason}},
    )


def _ids(deliveries: Sequence[Delivery]) -> list[str]:
    return [delivery.received.message_id for delivery in deliveries]


def _reasons(refusals: Sequence[Refusal]) -> str:
    return "; ".join(sorted({f"{refusal.code} {refusal.reason}" for refusal in refusals}))
