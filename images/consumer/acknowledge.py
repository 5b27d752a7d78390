"""The end of an attempt: write its line, delete what was processed, return what was not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.attempt import AttemptResult
from consumer.cycle import ACKNOWLEDGE_SECONDS
from consumer.flight.settlement import Settlement, ids
from consumer.logs.counts import Counts
from consumer.logs.events import get_logger
from consumer.logs.message_log import content_lines
from shared.quotas import MAX_BATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.admission import Admission
    from consumer.attempt import Attempt
    from consumer.delivery import Delivery
    from consumer.in_flight import InFlight
    from consumer.logs.cycles import Cycles
    from consumer.ports import DeadLetters, Ports
    from consumer.retry import RetryDelays

log = get_logger(__name__)

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
        """Put the instance id into every message's line."""
        self._sink = ports.sink
        self._in_flight = in_flight
        self._cycles = cycles
        self._delays = endings.delays
        self._claims, self._groups = endings.admission.claims, endings.admission.groups
        self._dead_letters = endings.dead_letters
        self.settlement = Settlement(ports, in_flight, cycles, self._groups)
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
        self._warn_of_copies(attempts)
        done, delays = self._sort(attempts, ())
        self._in_flight.decide(done, delays)
        self._claims.settle(attempts)
        rejected = [one for one in attempts if one.result is AttemptResult.REJECTED]
        if rejected and self._dead_letters is not None:
            done, delays = self._sort(attempts, self._dead_letters.send(rejected))
            self._in_flight.decide(done, delays)
        self.settlement.delete(done)
        for delivery, delay in delays:
            self._groups.failed(delivery, delay)
        self.settlement.give_back(delays)

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
            self.settlement.give_back(hidden, untouched=True)

    def _note_lost(self, deliveries: Sequence[Delivery]) -> None:
        if deliveries:
            self._in_flight.remove(deliveries)
            self._cycles.add(Counts(returned=len(deliveries)))
            self._claims.release(deliveries)
            log.warning(
                "messages not handled, because their visibility timeout was over before",
                extra={"fields": {"message_ids": ids(deliveries)}},
            )

    def _warn_of_copies(self, attempts: Sequence[Attempt]) -> None:
        """Say which messages other consumers may have received before their handlers ended."""
        if late := self._in_flight.visibility.late([one.delivery for one in attempts]):
            log.warning(
                "messages handled beyond their visibility timeout, they may be handled twice",
                extra={"fields": {"message_ids": ids(late)}},
            )

    def _sort(
        self, attempts: Sequence[Attempt], copied: Sequence[Attempt]
    ) -> tuple[list[Delivery], list[tuple[Delivery, int]]]:
        """Return what is to be deleted, and what is to be returned with its delay."""
        done = [one for one in attempts if one.result in DELETED or one in copied]
        delays = [(one.delivery, self._delay(one)) for one in attempts if one not in done]
        return [one.delivery for one in done], delays

    def _delay(self, attempt: Attempt) -> int:
        """Return after how many seconds a message that is not done may be received again."""
        if attempt.result is AttemptResult.RETRY and attempt.retry_after is not None:
            return attempt.retry_after
        # One that was to be copied to the dead letters, and could not be, is tried again later.
        invalid = attempt.result is AttemptResult.INVALID or (
            attempt.result is AttemptResult.REJECTED and self._dead_letters is None
        )
        return self._delays.after(attempt.delivery.received.receive_count, invalid=invalid)


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
