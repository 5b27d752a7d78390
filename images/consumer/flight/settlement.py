"""Settlement: deletes messages and returns them to the queue, and says what SQS has confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.logs.counts import Counts
from consumer.logs.events import get_logger
from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.quotas import MAX_BATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.delivery import Delivery
    from consumer.groups.message_groups import MessageGroups
    from consumer.in_flight import InFlight
    from consumer.logs.cycles import Cycles
    from consumer.ports import Ports, Queue
    from shared.queue import Refusal

log = get_logger(__name__)

TRIES: Final = 3
"""Requests for the same messages, unless the consumer stops: then there are more, or fewer."""
PAUSE: Final = 0.2
"""Seconds before the second request; twice as long before each further one."""
LONGEST_PAUSE: Final = 1.0

EXTENSION_SECONDS: Final = 10.0
"""Time that a return waits for a heartbeat which is just extending the same message: the extension
would hide it again. SQS answers within milliseconds."""
LAST_EXTENSION_SECONDS: Final = 0.5
"""The same, while the consumer stops."""

IN_ORDER: Final = "a message before it in its group was not deleted"


@dataclass(frozen=True, slots=True)
class Goal:
    """What is asked of SQS: the event once it is done, with its count, and the one if it is not."""

    event: str
    failure: str
    counts: Callable[[int], Counts]


DELETE: Final = Goal(
    "messages deleted",
    "messages not deleted, they will be received again",
    lambda number: Counts(deleted=number),
)
UNTOUCHED: Final = Goal(
    "messages returned",
    "messages not returned, they will be received again after their visibility timeout",
    lambda number: Counts(returned=number),
)
FAILED: Final = Goal("", UNTOUCHED.failure, lambda _: Counts())
"""The return of a message after an attempt, whose line has said so."""


class Settlement:
    """Deletes and returns messages, up to ten in a request; safe in several threads."""

    def __init__(
        self, ports: Ports, in_flight: InFlight, cycles: Cycles, groups: MessageGroups
    ) -> None:
        """Take what is settled out of `in_flight`, and count it in `cycles`.

        `given_up` is how many messages, since `hurry`, a later request might have settled.
        """
        self.given_up = 0
        self._queue = ports.queue
        self._clock = ports.clock
        self._in_flight = in_flight
        self._cycles = cycles
        self._groups = groups
        self._until: float | None = None
        self._lock = ports.threads.condition()
        self._settled: set[int] = set()

    def hurry(self, queue: Queue, until: float) -> None:
        """Make all further requests to this queue, and repeat them until this time (monotonic)."""
        self._queue, self._until, self.given_up = queue, until, 0

    def retake(self) -> None:
        """Settle what another thread has not settled yet; its request seems to have no answer.

        Should SQS carry out both requests, the second one changes nothing.
        """
        unsettled = self._in_flight.unsettled()
        self.delete(unsettled.deletes)
        self.give_back(unsettled.failed)
        self.give_back(unsettled.untouched, untouched=True)

    def delete(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages; the heartbeat keeps them hidden until that is done.

        A message of a group is deleted when the one before it has been. If that fails, both come
        again, in order.

        Raises:
            QueueRefusedError: SQS refused a whole request.
        """
        self._groups.through(deliveries)
        kept: list[Delivery] = []
        for each in self._groups.in_rounds(deliveries):
            held_back = self._groups.follow(each, kept)
            self._give_up(held_back, IN_ORDER, DELETE)
            rest = [one for one in each if one not in held_back]
            for begin in range(0, len(rest), MAX_BATCH):
                kept += self._persist(self._delete, rest[begin : begin + MAX_BATCH], DELETE)
            kept += held_back

    def give_back(
        self, changes: Sequence[tuple[Delivery, int]], *, untouched: bool = False
    ) -> None:
        """Make each message visible again after its delay, in whole seconds.

        Those that are `untouched` count as returned, and a line names them.

        Raises:
            QueueRefusedError: SQS refused a whole request.
        """
        if not changes:
            return
        patience = EXTENSION_SECONDS if self._until is None else LAST_EXTENSION_SECONDS
        self._in_flight.decide((), changes, untouched=untouched)
        seconds = self._in_flight.visibility.stop_hiding(changes, patience)

        def request(deliveries: list[Delivery]) -> Sequence[Refusal]:
            return self._queue.change_visibility(
                [(delivery.received.receipt, seconds[delivery.key]) for delivery in deliveries]
            )

        goal = UNTOUCHED if untouched else FAILED
        for begin in range(0, len(changes), MAX_BATCH):
            batch = [delivery for delivery, _ in changes[begin : begin + MAX_BATCH]]
            self._persist(request, batch, goal)

    def _delete(self, deliveries: list[Delivery]) -> Sequence[Refusal]:
        return self._queue.delete([delivery.received.receipt for delivery in deliveries])

    def _persist(
        self,
        request: Callable[[list[Delivery]], Sequence[Refusal]],
        deliveries: list[Delivery],
        goal: Goal,
    ) -> list[Delivery]:
        """Make the request until it has succeeded for all messages; return the others, and say so.

        An entry that SQS refuses because of what is in it is not tried again.
        """
        left, tries, reasons = deliveries, 0, {""}
        lost: list[Delivery] = []
        while left:
            try:
                refusals = request(left)
            except QueueUnavailableError as error:
                reasons = {str(error)}
            except QueueRefusedError as error:
                self._give_up(left, str(error), goal)
                if self._until is None:
                    raise
                return [*lost, *left]  # the end goes on: another kind of request may be allowed
            else:
                refused = {refusal.index: refusal for refusal in refusals}
                self._confirm([one for at, one in enumerate(left) if at not in refused], goal)
                lost += [left[at] for at in sorted(refused) if not refused[at].retry]
                left = [left[at] for at in sorted(refused) if refused[at].retry]
                reasons = {refusal.text for refusal in refusals}
            tries += 1
            if left and not self._try_again(tries):
                break
        self.given_up += len(self._not_yet_settled(left, note=False))
        self._give_up([*lost, *left], "; ".join(sorted(reasons)), goal)
        return [*lost, *left]

    def _try_again(self, tries: int) -> bool:
        """Return, after a pause, whether to make another request."""
        pause = min(LONGEST_PAUSE, PAUSE * 2.0 ** (tries - 1))
        if self._until is None:
            again = tries < TRIES
        else:
            again = self._clock.monotonic() + pause < self._until
        if again:
            self._clock.sleep(pause)
        return again

    def _confirm(self, deliveries: list[Delivery], goal: Goal) -> None:
        """Say and count what SQS has done."""
        if confirmed := self._not_yet_settled(deliveries, note=True):
            self._in_flight.remove(confirmed)
            if goal.event:
                self._cycles.add(goal.counts(len(confirmed)))
                log.info(goal.event, extra={"fields": {"message_ids": ids(confirmed)}})

    def _give_up(self, deliveries: list[Delivery], reason: str, goal: Goal) -> None:
        """Say what SQS has not done, and leave it to the visibility timeout."""
        if left := self._not_yet_settled(deliveries, note=False):
            fields = {"message_ids": ids(left), "reason": reason}
            log.warning(goal.failure, extra={"fields": fields})
            self._in_flight.remove(left)  # now: the last resort may end the process in between

    def _not_yet_settled(self, deliveries: list[Delivery], *, note: bool) -> list[Delivery]:
        """Leave out what another thread has settled, once two of them may try to."""
        if self._until is None:
            return deliveries
        with self._lock:
            new = [one for one in deliveries if one.key not in self._settled]
            if note:
                self._settled.update(one.key for one in new)
            return new


def ids(deliveries: Sequence[Delivery]) -> list[str]:
    """Return the ids of the messages, for a line about them."""
    return [delivery.received.message_id for delivery in deliveries]
