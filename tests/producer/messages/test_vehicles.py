"""Tests of random vehicles."""

from __future__ import annotations

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st
from support.fakes.producing import LATEST_YEAR, seeded

from producer.messages.outgoing_message import Origin
from producer.messages.vehicles import (
    MODELS,
    NEW_MILEAGE,
    OLDEST,
    YEARLY_MILEAGE,
    generated,
    vehicles,
)
from shared.message import Vehicle, parse


def some(seed: int, number: int = 200) -> list[Vehicle]:
    """Return the first vehicles of a seed."""
    return list(islice(vehicles(seeded(seed), LATEST_YEAR), number))


@given(st.integers())
def test_every_vehicle_could_be_a_real_one(seed: int) -> None:
    """A known model, not built before it existed, not driven more than its age allows."""
    first_years = {(make, model): year for make, model, year in MODELS}
    for vehicle in some(seed, 50):
        age = LATEST_YEAR - vehicle.year
        assert first_years[vehicle.make, vehicle.model] <= vehicle.year
        assert 0 <= age <= OLDEST
        assert 0 <= vehicle.mileage <= NEW_MILEAGE + age * YEARLY_MILEAGE


def test_ids_differ_within_a_run_and_between_seeds() -> None:
    """Ids differ, so that two runs into one queue can be distinguished."""
    ids = [vehicle.vehicle_id for seed in (1, 2) for vehicle in some(seed)]

    assert len(set(ids)) == 400


def test_the_seed_decides_the_vehicles() -> None:
    """The same seed gives the same vehicles, another seed others."""
    assert some(7) == some(7)
    assert some(7) != some(8)


def test_vehicles_vary() -> None:
    """A few hundred vehicles show every make and color."""
    found = some(1, 500)

    assert {vehicle.make for vehicle in found} == {make for make, _, _ in MODELS}
    assert len({vehicle.color for vehicle in found}) == 8


def test_generated_messages_are_valid_and_know_their_size() -> None:
    """Bodies parse, sizes are UTF-8 bytes, numbers count from one."""
    messages = list(generated(300, seeded(), LATEST_YEAR))

    assert [message.number for message in messages] == list(range(1, 301))
    assert any(not message.body.isascii() for message in messages)
    for message in messages:
        assert message.origin is Origin.VEHICLE
        assert message.size == len(message.body.encode())
        assert parse(message.body, LATEST_YEAR).vehicle.vehicle_id == message.vehicle_id
        assert message.name() == f"vehicle {message.vehicle_id}"
