"""Random vehicles, seeded, that could be real ones."""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING, Final

from producer.messages.outgoing_message import Origin, OutgoingMessage, utf8_size
from shared.message import Vehicle, encode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

MODELS: Final = (
    ("Honda", "Civic", 1972),
    ("Honda", "Jazz", 2001),
    ("Toyota", "Corolla", 1966),
    ("Toyota", "Yaris", 1999),
    ("Ford", "Focus", 1998),
    ("Ford", "Transit", 1965),
    ("Volkswagen", "Golf", 1974),
    ("Volkswagen", "ID.3", 2019),
    ("Renault", "Clio", 1990),
    ("Peugeot", "208", 2012),
    ("Fiat", "Panda", 1980),
    ("Škoda", "Octavia", 1996),
    ("Volvo", "XC60", 2008),
    ("BMW", "320d", 1998),
    ("Hyundai", "Kona", 2017),
    ("Tesla", "Model 3", 2017),
)
"""Make, model, first model year."""

COLORS: Final = ("Blue", "Black", "White", "Silver", "Grey", "Red", "Green", "Yellow")

OLDEST: Final = 25
"""Largest age of a generated vehicle in model years: older ones are rare on the road."""

YEARLY_MILEAGE: Final = 20_000
"""Largest mileage of a generated vehicle per year; the mean is half of it."""

NEW_MILEAGE: Final = 500
"""Largest mileage of a vehicle whose model year has not begun."""


def vehicles(rng: Random, latest_year: int) -> Iterator[Vehicle]:
    """Yield vehicles endlessly; ids differ within a run and, nearly always, between seeds."""
    first_id = rng.randrange(1_000, 10_000) * 1_000_000
    draw = rng.random  # several times faster than randrange and choice
    for vehicle_id in count(first_id + 1):
        make, model, first_year = MODELS[int(draw() * len(MODELS))]
        years = min(OLDEST, latest_year - first_year) + 1
        age = int(draw() * years)
        yield Vehicle(
            vehicle_id=f"VH{vehicle_id}",
            make=make,
            model=model,
            year=latest_year - age,
            color=COLORS[int(draw() * len(COLORS))],
            mileage=int(draw() * (NEW_MILEAGE + age * YEARLY_MILEAGE)),
        )


def generated(number: int, rng: Random, latest_year: int) -> Iterator[OutgoingMessage]:
    """Yield this number of random vehicles, ready to send."""
    for index, vehicle in enumerate(islice(vehicles(rng, latest_year), number), start=1):
        body = encode(vehicle)
        yield OutgoingMessage(body, utf8_size(body), Origin.VEHICLE, index, vehicle.vehicle_id)
