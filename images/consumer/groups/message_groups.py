"""Message groups of a FIFO queue: how receives, returns and deletes keep their order.

On a standard queue none of this has an effect.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from consumer.groups.caution import Caution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.delivery import Delivery
    from consumer.ports import Clock

HIDDEN_LONGER: Final = 2
"""Seconds by which followers stay hidden longer than the message that failed, besides the rest
between two polls: until some consumer has received that one without them."""


class MessageGroups:
    """What has to be done for the order of groups; safe in any thread."""

    def __init__(self, clock: Clock, *, fifo: bool, poll_wait: float) -> None:
        """Keep the order of a FIFO queue that consumers poll with this rest between polls."""
        self._clock = clock
        self._fifo = fifo
        self._longer = math.ceil(poll_wait) + HIDDEN_LONGER
        self._caution = Caution()

    def limit(self, most: int) -> int:
        """Return how many messages to ask for, at most so many: fewer after failures."""
        return self._caution.limit(most, self._clock.monotonic())

    def through(self, deliveries: Iterable[Delivery]) -> None:
        """Note messages that do not come again, so that their groups go on."""
        for delivery in deliveries:
            if (group := self._group(delivery)) is not None:
                self._caution.through(group)

    def failed(self, delivery: Delivery, delay: float) -> None:
        """Note a message that comes again after this delay, and blocks its group until then."""
        if (group := self._group(delivery)) is not None:
            self._caution.failed(group, delay, self._clock.monotonic())

    def hidden(self, delivery: Delivery) -> int:
        """Return for how many seconds an untouched message stays hidden when it goes back.

        One that follows a message with a delay of 30 s: 32 s, if consumers poll without a rest.
        """
        group = self._group(delivery)
        visible_at = None if group is None else self._caution.visible_at(group)
        if group is None or visible_at is None:
            return 0
        self._caution.followed(group)
        left = visible_at - self._clock.monotonic()
        return math.ceil(left) + self._longer if left > 0 else 0

    def in_rounds(self, deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
        """Return the messages in lists to be deleted one list after another.

        A list has at most one message of a group: A1 A2 B1 A3 are [A1 B1], [A2], [A3].
        """
        if not self._fifo:
            return [list(deliveries)] if deliveries else []
        rounds: list[list[Delivery]] = []
        places: dict[str | int, int] = {}
        for delivery in sorted(deliveries, key=lambda delivery: delivery.key):
            group = self._group(delivery) or delivery.key
            place = places.get(group, 0)
            places[group] = place + 1
            if place == len(rounds):
                rounds.append([])
            rounds[place].append(delivery)
        return rounds

    def follow(self, deliveries: Iterable[Delivery], before: Iterable[Delivery]) -> list[Delivery]:
        """Return those of the messages whose group has one of those `before` as well."""
        groups = {self._group(delivery) for delivery in before} - {None}
        return [delivery for delivery in deliveries if self._group(delivery) in groups]

    def _group(self, delivery: Delivery) -> str | None:
        return delivery.received.group_id if self._fifo else None
