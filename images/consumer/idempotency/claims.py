"""Claims: which received messages may be handled, and what becomes of their keys.

A message's key is claimed before its handler may run, and noted as done after it was processed and
before it is deleted. A claim lives as long as the message is hidden: for one visibility timeout,
extended before half of it has passed. docs/idempotency.md has what follows from that.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from consumer.attempt import Attempt, AttemptResult
from consumer.idempotency.claimed import refused, sort_out
from consumer.idempotency.ports import Claim, TableError, TableRefusedError, Taken
from consumer.logs.events import get_logger
from shared.errors import InvalidMessageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consumer.delivery import Delivery
    from consumer.idempotency.claimed import Claimed
    from consumer.idempotency.key import IdempotencyKey
    from consumer.idempotency.ports import ClaimTable
    from consumer.ports import Clock, Threads

log = get_logger(__name__)

TICKS: Final = 10
"""How often in a visibility timeout claims are looked at, and so how much earlier than at its half
they are renewed: a claim should not outlive its message, which is received again after a crash."""

EARLIER: Final = 1.0
"""Seconds by which a claim ends before its message is visible; a receive takes some time itself."""


@dataclass(frozen=True, slots=True)
class ClaimTerms:
    """How claims are made.

    Attributes:
        owner: this consumer, different from all others, restarted ones included.
        lease: the visibility timeout; a claim in progress ends just before if it is not renewed.
        keep: seconds for which a key counts as done.
        outage_delay: seconds until a message is received again that could not be claimed.
        fifo: whether the order of message groups has to be kept.
    """

    owner: str
    lease: float
    keep: float
    outage_delay: int
    fifo: bool = False


class Claims:
    """The claims of this consumer; all methods are safe in any thread."""

    def __init__(
        self,
        table: ClaimTable,
        key: IdempotencyKey,
        terms: ClaimTerms,
        clock: Clock,
        threads: Threads,
    ) -> None:
        """Start without claims, with a table that is expected to answer."""
        self._table = table
        self._key = key
        self._terms = terms
        self._lease = terms.lease - min(EARLIER, terms.lease / TICKS)
        self._clock = clock
        self._threads = threads
        self._changed = threads.condition()
        self._held: dict[int, Claim] = {}  # by the delivery's key
        self._late: dict[str, Claim] = {}  # done, but not noted yet
        self._answers = True
        self._stopped = False

    def start(self) -> None:
        """Renew claims in the background from now on."""
        self._threads.start("claims", self._run)

    def stop(self) -> None:
        """End the background thread; try a last time to note what is done."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._complete_late()

    def ready(self) -> bool:
        """Return whether messages can be claimed; without that they should not be received."""
        if not self._answers:
            try:
                self._table.probe()
            except TableError as error:
                log.debug("table unavailable", extra={"fields": {"reason": str(error)}})
            else:
                self._note_answer()
        return self._answers

    def claim(self, deliveries: Sequence[Delivery], ended: Mapping[int, Attempt]) -> Claimed:
        """Claim the messages' keys, and sort the messages by what may be done with them.

        Those that have `ended` already, by their keys here, need no claim.
        """
        now = self._clock.time()
        by_key = {delivery.key: delivery for delivery in deliveries}
        claims, attempts = self._wanted([one for one in deliveries if one.key not in ended], now)
        attempts |= ended
        answers = self._ask(claims, now)
        for key, answer in answers.items():
            if answer is not None:
                delivery = by_key[key]
                attempts[key] = refused(delivery, answer, now, self._terms.outage_delay)
        result = sort_out(deliveries, attempts, fifo=self._terms.fifo)
        with self._changed:
            self._held |= {key: claims[key] for key, answer in answers.items() if answer is None}
        self.release(result.followers)
        return result

    def settle(self, attempts: Sequence[Attempt]) -> None:
        """Note as done what was processed, and release what was not.

        To be called before the messages are deleted or returned. If the table does not answer,
        the messages are deleted all the same, and what is done is noted later.
        """
        done = {
            attempt.delivery.key
            for attempt in attempts
            if attempt.result is AttemptResult.PROCESSED
        }
        until = self._clock.time() + self._terms.keep
        with self._changed:
            for key in done & self._held.keys():
                claim = replace(self._held.pop(key), until=until)
                self._late[claim.key] = claim
        if self._answers:
            self._complete_late()
        self.release(attempt.delivery for attempt in attempts)

    def release(self, deliveries: Iterable[Delivery]) -> None:
        """Release the claims of messages that were not processed, so that others get them."""
        with self._changed:
            claims = [self._held.pop(one.key, None) for one in deliveries]
        for claim in claims:
            if claim is not None and self._answers:
                try:
                    self._table.release(claim)
                except TableError as error:  # the claim ends by itself
                    self._note_error(error)

    def renew(self) -> None:
        """Renew what is due, and note what could not be noted before."""
        now = self._clock.time()
        with self._changed:
            due = [
                (key, claim)
                for key, claim in self._held.items()
                if claim.until - now <= self._terms.lease * (1 / 2 + 1 / TICKS)
            ]
        for key, claim in due:
            renewed = replace(claim, until=now + self._lease)
            try:
                if not self._table.renew(renewed):
                    renewed = replace(claim, until=math.inf)  # not ours any more: renew no more
                    self._warn_of_loss(claim)
            except TableError as error:
                self._note_error(error)
                break
            self._note_answer()
            with self._changed:
                if key in self._held:
                    self._held[key] = renewed
        self._complete_late()

    def _run(self) -> None:
        while not self._wait():
            self.renew()

    def _wait(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped, self._terms.lease / TICKS)
            return self._stopped

    def _wanted(
        self, deliveries: Sequence[Delivery], now: float
    ) -> tuple[dict[int, Claim], dict[int, Attempt]]:
        """Return the claims to make, and an attempt for each message that has no key."""
        claims, attempts = {}, {}
        for delivery in deliveries:
            try:
                key = self._key.of(delivery)
            except InvalidMessageError as error:
                attempts[delivery.key] = Attempt(
                    delivery, AttemptResult.INVALID, str(error), 0.0, now, handled=False
                )
            else:
                owner = f"{self._terms.owner}/{delivery.key}"
                claims[delivery.key] = Claim(key, owner, delivery.received_at + self._lease)
        return claims, attempts

    def _ask(self, claims: dict[int, Claim], now: float) -> dict[int, Taken | TableError | None]:
        if not claims:
            return {}
        answers: Sequence[Taken | TableError | None]
        try:
            answers = self._table.claim(list(claims.values()), now)
        except TableError as error:
            answers = [error] * len(claims)
        for answer in answers:
            if isinstance(answer, TableError):
                self._note_error(answer)
                break
        return dict(zip(claims, answers, strict=True))

    def _complete_late(self) -> None:
        with self._changed:
            late = list(self._late.values())
        for start in range(0, len(late), 25):
            batch = late[start : start + 25]
            try:
                self._table.complete(batch)
            except TableError as error:
                self._note_error(error)
                return
            self._note_answer()
            with self._changed:
                for claim in batch:
                    self._late.pop(claim.key, None)

    def _note_error(self, error: TableError) -> None:
        if self._answers:
            refused = isinstance(error, TableRefusedError)  # somebody has to mend it
            log.log(
                logging.ERROR if refused else logging.WARNING,
                "idempotency table unavailable, nothing is received until it answers",
                extra={"fields": {"reason": str(error), "not_noted": len(self._late)}},
            )
        self._answers = False

    def _note_answer(self) -> None:
        if not self._answers:
            log.info("idempotency table answers again")
        self._answers = True

    @staticmethod
    def _warn_of_loss(claim: Claim) -> None:
        log.warning(
            "message may be handled elsewhere at the same time: its claim ended",
            extra={"fields": {"key": claim.key}},
        )
