"""Poison: messages malformed on purpose, to test that they reach the dead-letter queue."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from producer.messages.outgoing_message import Origin, OutgoingMessage, utf8_size
from producer.messages.vehicles import vehicles
from shared.message import FIRST_YEAR, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from random import Random

Item = TypeVar("Item")

WIDEST_GAP: Final = 20
"""Good messages between two poison ones, at most, in a run of unknown length."""


def _cut_off(body: str) -> str:
    return body[: len(body) // 2]


def _changed(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    def spoil(body: str) -> str:
        fields = msgspec.json.decode(body)
        change(fields)
        return msgspec.json.encode(fields).decode()

    return spoil


KINDS: Final[dict[str, Callable[[str], str]]] = {
    "not JSON": _cut_off,
    "a field missing": _changed(lambda fields: fields.pop("make")),
    "a field of the wrong type": _changed(lambda fields: fields.update(year=str(fields["year"]))),
    "a number out of bounds": _changed(lambda fields: fields.update(mileage=-1)),
    "a year before cars": _changed(lambda fields: fields.update(year=FIRST_YEAR - 1)),
}
"""Ways to spoil a good body, by name."""


def poison(rng: Random, latest_year: int) -> Iterator[OutgoingMessage]:
    """Yield malformed messages endlessly, all kinds in turn, starting with a random one."""
    kinds = list(KINDS.values())
    rng.shuffle(kinds)
    pairs = zip(cycle(kinds), vehicles(rng, latest_year), strict=False)
    for number, (spoil, vehicle) in enumerate(pairs, start=1):
        body = spoil(encode(vehicle))
        yield OutgoingMessage(body, utf8_size(body), Origin.POISON, number, vehicle_id=None)


def places_among(others: int, number: int, rng: Random) -> Iterator[int]:
    """Return, in order, the places (from 0) of the poison among others + number messages."""
    return iter(sorted(rng.sample(range(others + number), number)))


def places_ahead(number: int, rng: Random) -> Iterator[int]:
    """Yield, in order, the places (from 0) of the poison in a run of unknown length."""
    place = -1
    for _ in range(number):
        place += 1 + rng.randint(0, WIDEST_GAP)
        yield place


def mixed(
    items: Iterable[Item], messages: Iterator[OutgoingMessage], places: Iterator[int]
) -> Iterator[Item | OutgoingMessage]:
    """Yield the items with a poison message inserted at each place; places beyond the end follow.

    Places count the messages of the mixture, poison included. Items that are not messages (a
    rejected line, a pause) do not count.
    """
    position, place = 0, next(places, None)
    for item in items:
        if isinstance(item, OutgoingMessage):
            while position == place:
                yield next(messages)
                position, place = position + 1, next(places, None)
            position += 1
        yield item
    while place is not None:
        yield next(messages)
        place = next(places, None)
