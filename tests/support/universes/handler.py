"""The handler of a universe: it works in steps, and its end is drawn by the seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from support.universes.record import Violation

from consumer.attempt import AttemptResult
from consumer.handlers.handler import HandlerKind
from consumer.handlers.verdict import PROCESSED, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from support.universes.faults import Faults
    from support.universes.record import DeliveryRecord, Record
    from support.universes.scheduler import Machine, Scheduler

    from consumer.handlers.arrival import Arrival
    from consumer.handlers.handler import Extend

OnBegin: TypeAlias = "Callable[[DeliveryRecord, set[str]], None]"
"""Called before a handler begins: with the delivery, and the ids before it in its batch."""

FOR_EVER: Final = 1e7
"""Seconds, some four months."""


class UniverseHandler:
    """A handler whose calls take up to `usual` seconds; poison fails whatever happens."""

    def __init__(
        self,
        scheduler: Scheduler,
        machine: Machine,
        record: Record,
        faults: Faults,
        work: Work,
    ) -> None:
        """Work on this machine."""
        self.kind = HandlerKind.BATCH if work.batch else HandlerKind.SYNC
        self._scheduler = scheduler
        self._machine = machine
        self._record = record
        self._faults = faults
        self._work = work

    def startup(self) -> None:
        """Do nothing."""

    def shutdown(self) -> None:
        """Take a moment."""
        self._scheduler.sleep(self._work.rng.random() * 0.1)

    def call(self, arrivals: Sequence[Arrival], extend: Extend) -> list[Verdict]:
        """Work for a while, then decide."""
        deliveries = [self._record.by_key[one.message_id, one.receive_count] for one in arrivals]
        for place, delivery in enumerate(deliveries):
            self._begin(delivery, {one.message.id for one in deliveries[:place]})
        for _ in range(self._work.rng.randint(1, 3)):
            self._scheduler.sleep(self._work.usual * self._work.rng.random())
        if self._faults.happens("handler is slow"):
            if self._faults.rng.random() < 0.5:
                for place in range(len(arrivals)):
                    extend(place, 3 * self._work.limit)
            self._scheduler.sleep(2 * self._work.limit * self._faults.rng.random())
        if self._faults.happens("handler hangs"):
            self._scheduler.sleep(FOR_EVER)
        blocked: set[str] = set()
        return [self._end(delivery, blocked) for delivery in deliveries]

    async def call_async(self, arrival: Arrival, extend: Extend) -> Verdict:
        """Refuse: no universe has an event loop."""
        del arrival, extend
        raise NotImplementedError("universes handle in threads")

    def _begin(self, delivery: DeliveryRecord, before: set[str]) -> None:
        self._record.note(self._scheduler.now, self._machine.name, f"begins {delivery.message.id}")
        delivery.running = True
        delivery.began = self._scheduler.now
        self._work.on_begin(delivery, before)
        delivery.message.handlers += 1

    def _end(self, delivery: DeliveryRecord, blocked: set[str]) -> Verdict:
        verdict = self._decide(delivery)
        self._record.note(
            self._scheduler.now,
            self._machine.name,
            f"ends {delivery.message.id}: {verdict.result.value}",
        )
        if delivery.result is not None:
            raise Violation("handled once", f"{delivery.message.id} twice for one receive")
        delivery.running = False
        delivery.result = verdict.result
        group = delivery.message.group
        if group in blocked:
            delivery.void = True
            delivery.message.excuses.add("follows a failure in its batch")
        elif verdict.result is AttemptResult.PROCESSED:
            delivery.message.processed += 1
        elif verdict.result is AttemptResult.REJECTED:
            delivery.message.rejected = True
        elif group is not None:
            blocked.add(group)
        return verdict

    def _decide(self, delivery: DeliveryRecord) -> Verdict:
        if delivery.message.poison:
            return Verdict(AttemptResult.FAILED, "poison")
        if self._faults.happens("handler raises"):
            return Verdict(AttemptResult.FAILED, "it raised")
        if self._faults.happens("handler rejects"):
            return Verdict(AttemptResult.REJECTED, "it rejected")
        if self._faults.happens("handler asks for a retry"):
            return Verdict(AttemptResult.RETRY, "later", self._faults.rng.randint(0, 30))
        return PROCESSED


class Work:
    """How long handlers work: usually up to `usual` seconds a step; `limit` is their time limit."""

    def __init__(self, rng: Random, usual: float, limit: float, *, batch: bool) -> None:
        """Work so."""
        self.rng = rng
        self.usual = usual
        self.limit = limit
        self.batch = batch
        self.on_begin: OnBegin = lambda _delivery, _before: None
