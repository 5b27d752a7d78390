"""Invariants: what holds in every universe, checked at each step and at each end.

docs/reliability.md has them as a table, by the names that are used here.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from support.universes import rule_names as names
from support.universes.record import Violation
from support.universes.threads import UniverseCondition

from consumer.attempt import AttemptResult
from shared.errors import WorkloadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.universes.life import Life, World
    from support.universes.plan import Plan
    from support.universes.record import DeliveryRecord, MessageRecord
    from support.universes.scheduler import Task

    from consumer.in_flight import InFlight

OVER_LIMIT: Final = "handler over its time limit, its thread is left"
DELETED: Final = "messages deleted"
RETURNED: Final = "messages returned"
STILL_RUNNING: Final = "handler still running at the limit"
LOST: Final = "messages not handled, because their visibility timeout was over before"


class Rules:
    """The invariants of one universe; `world` is set once it exists."""

    world: World

    def _violated(self, rule: str, what: str) -> Violation:
        """Return a violation that ends the universe, whoever catches it in the consumer."""
        violation = Violation(rule, what)
        self.world.scheduler.error = self.world.scheduler.error or violation
        return violation

    # At each step.

    def after_step(self, task: Task) -> None:
        """Check the consumer whose task has just run."""
        life = self.world.lives.get(task.machine.name)
        if life is None or life.parts is None:
            return
        in_flight = life.parts.in_flight
        changed = in_flight._changed
        if isinstance(changed, UniverseCondition) and changed.free:
            unfinished = sum(not entry.finished for entry in in_flight._messages.values())
            if unfinished != in_flight._unfinished:
                raise self._violated(
                    names.COUNTED, f"{in_flight._unfinished} unfinished of {unfinished}"
                )

    def watched_start(self, life: Life, in_flight: InFlight) -> Callable[[int], bool]:
        """Return `in_flight.start`, which must not allow what is known to be lost."""

        def start(key: int) -> bool:
            entry = in_flight._messages.get(key)
            known = entry is not None and self._known_lost(life, entry.delivery.received.receipt)
            allowed = in_flight.start(key)
            if allowed and known and entry is not None and not life.was_frozen:
                raise self._violated(
                    names.KNOWN_LOST,
                    f"{life.machine.name} handles {entry.delivery.received.message_id}, whose "
                    "extension SQS has refused",
                )
            return allowed

        return start

    def on_delivery(self, delivery: DeliveryRecord) -> None:
        """Check that SQS does not deliver to a consumer that has ended in order."""
        life = self.world.lives[delivery.machine]
        if life.over:
            self._check_nobody_gone(life, delivery)

    def on_begin(self, life: Life, delivery: DeliveryRecord, before: set[str]) -> None:
        """Check that a handler may begin with a message."""
        message = delivery.message
        if message.excuses or message.named:
            return
        if message.processed or message.copies:
            raise self._violated(
                names.ONCE, f"{life.machine.name} handles {message.id}, which is done"
            )
        record = self.world.record
        others = [one for one in record.deliveries.values() if one.message is message]
        if any(one.running and one is not delivery for one in others):
            raise self._violated(
                names.ONCE, f"{life.machine.name} handles {message.id} beside another one"
            )
        if message.group is not None:
            self._check_order(message, before)
        running = [
            one
            for one in record.of_machine(life.machine.name)
            if one.running and OVER_LIMIT not in one.named
        ]
        slots = self.world.plan.concurrency * (10 if self.world.plan.batch else 1)
        if len(running) > slots:
            raise self._violated(
                names.SLOTS, f"{life.machine.name} has {len(running)} in {slots} slots"
            )

    # For each line.

    def on_message_line(self, life: Life, fields: dict[str, Any]) -> None:
        """Check that an attempt ended as its line says, and that no other line says so."""
        delivery = self.world.record.by_key[fields["message_id"], fields["receive_count"]]
        outcome = fields["outcome"]
        delivery.lines.append(outcome)
        true = (
            OVER_LIMIT in delivery.named
            if outcome == AttemptResult.TIMED_OUT
            else outcome == delivery.result
        )
        if not true or len(delivery.lines) > 1 or delivery.machine != life.machine.name:
            raise self._violated(
                names.TRUE_LINES,
                f"lines say {delivery.lines} of {delivery.key}, its handler {delivery.result}",
            )

    def on_event(self, life: Life, line: logging.LogRecord, event: str, ids: list[str]) -> None:
        """Check that an event has happened, and remember what it names."""
        if line.exc_info:
            raise self._violated(names.NO_SURPRISE, f"{event}: {line.exc_info[1]!r}")
        life.events.append((event, ids))
        life.receiving |= bool(getattr(line, "fields", {}).get("receiving"))
        for message_id in ids:
            deliveries = [
                one
                for one in self.world.record.of_machine(life.machine.name)
                if one.message.id == message_id
            ]
            if event == DELETED and not any(one.deleted for one in deliveries):
                raise self._violated(
                    names.TRUE_LINES, f"{message_id} was not deleted as a line says"
                )
            if event == RETURNED and not any(one.returned for one in deliveries):
                raise self._violated(
                    names.TRUE_LINES, f"{message_id} was not returned as a line says"
                )
            for delivery in deliveries:
                delivery.named.add(event)
                if line.levelno >= logging.WARNING:
                    delivery.message.named.add(event)

    # At a consumer's end.

    def on_end(self, life: Life) -> None:
        """Check an orderly end: `supervise` has returned, and the process is about to exit."""
        ending, parts = life.ending, life.parts
        if ending is None or parts is None:
            raise TypeError("not at its end")
        self._check_error(ending.error)
        self.on_exit(life)
        if not life.lines.broken:
            self._check_counts(life)

    def on_exit(self, life: Life) -> None:
        """Check any end that the consumer has chosen itself."""
        for delivery in self.world.record.of_machine(life.machine.name):
            self._check_told(life, delivery)
        self._check_time(life)
        for delivery in self.world.record.deliveries.values():
            if delivery.machine == life.machine.name and not delivery.handed:
                self._check_nobody_gone(life, delivery)

    def _check_nobody_gone(self, life: Life, delivery: DeliveryRecord) -> None:
        """Check that no message is hidden by a receive whose caller is gone, except if said."""
        message = delivery.message
        hidden = message.receipt == delivery.receipt and not message.gone
        asked_for = life.killed or life.receiving or life.was_frozen
        asked_for = asked_for or life.machine.waiting > 0 or life.machine.gave_up
        if hidden and not (asked_for or message.excuses):
            raise self._violated(
                names.NOBODY_GONE,
                f"{message.id} is delivered to {life.machine.name}, which has ended",
            )

    def _check_error(self, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, (WorkloadError, OSError)):
            raise self._violated(names.NO_SURPRISE, repr(error))

    def _check_told(self, life: Life, delivery: DeliveryRecord) -> None:
        told = delivery.named - {OVER_LIMIT, STILL_RUNNING}
        unseen = life.receiving and not delivery.began  # as a line says
        if unseen or (life.was_slow and life.ending is None):  # no time for the last words
            return
        if not (delivery.deleted or delivery.returned or told):
            raise self._violated(
                names.NOTHING_LEFT,
                f"{delivery.key} is not deleted or returned by {life.machine.name}, without a line",
            )
        ended = delivery.result is not None and OVER_LIMIT not in delivery.named
        if ended and not (delivery.lines or delivery.void) and not told and not life.lines.broken:
            raise self._violated(names.TRUE_LINES, f"no line for {delivery.key}, {delivery.result}")

    def _check_counts(self, life: Life) -> None:
        deliveries = self.world.record.of_machine(life.machine.name)
        # One that had no time for its last calls may not have written its last counts either.
        cut_short = life.was_frozen or not self.world.plan.drain
        whole = life.ending is not None and not life.ending.left and not cut_short
        expected = {
            "MessagesReceived": len(deliveries),
            "MessagesProcessed": sum(one.lines.count("processed") for one in deliveries),
            "deleted": sum(one.deleted for one in deliveries),
            "returned": sum(len(ids) for event, ids in life.events if event in {RETURNED, LOST}),
        }
        for name, number in expected.items():
            said = sum(line[name] for line in life.lines.cycles)
            if said > number or (said < number and whole):
                raise self._violated(
                    names.TRUE_LINES, f"{name} is {said} in the lines, and {number} in truth"
                )

    def _check_time(self, life: Life) -> None:
        asked, slow = life.stop.requested_at, life.was_frozen or life.was_slow
        if asked is None or slow:
            return
        taken, limit = self.world.scheduler.now - asked, longest_end(self.world.plan)
        if taken > limit:
            raise self._violated(
                names.IN_TIME, f"{life.machine.name} took {taken:.3f} of {limit:.3f} s"
            )

    # At the end of the universe.

    def on_last(self) -> None:
        """Check every message after the last drain."""
        for message in self.world.record.messages.values():
            if not message.gone:
                raise self._violated(names.RECOVERED, f"{message.id} is still in the queue")
            if message.deleted and not (message.processed or message.copies):
                raise self._violated(
                    names.RECOVERED, f"{message.id} is deleted, but was never processed"
                )
            if message.dead:
                self._check_dead(message)

    def _check_dead(self, message: MessageRecord) -> None:
        deliveries = [
            one for one in self.world.record.deliveries.values() if one.message is message
        ]
        reasons = message.poison or message.excuses or message.named
        failed = any(one.result not in {None, AttemptResult.PROCESSED} for one in deliveries)
        returned = any(RETURNED in one.named for one in deliveries)
        if not (reasons or failed or returned):
            raise self._violated(names.INNOCENT, f"{message.id} never failed")

    def _check_order(self, message: MessageRecord, before: set[str]) -> None:
        for other in self.world.record.messages.values():
            if (
                other.group == message.group
                and other.number < message.number
                and not other.through
                and other.id not in before
                and not (other.excuses or other.named)
            ):
                raise self._violated(names.ORDER, f"{message.id} is handled before {other.id}")

    def _known_lost(self, life: Life, receipt: str) -> bool:
        """Return whether the consumer has had time to note what SQS has told it."""
        delivery, plan = self.world.record.deliveries[receipt], self.world.plan
        time_to_note = 500 * plan.step * life.machine.slow + 0.01
        return delivery.lost_at + time_to_note < self.world.scheduler.now


def longest_end(plan: Plan) -> float:
    """Return how long a consumer with these settings may take to end, in seconds."""
    return plan.drain + 0.6
