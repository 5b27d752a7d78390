"""Tests of poison, messages that are malformed on purpose."""

from __future__ import annotations

from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.producing import CIVIC, LATEST_YEAR, outgoings, seeded

from producer.messages.outgoing_message import Origin, OutgoingMessage, RejectedLine
from producer.messages.poison import KINDS, WIDEST_GAP, mixed, places_ahead, places_among, poison
from shared.errors import InvalidMessageError
from shared.message import parse


def some_poison(number: int, seed: int = 1) -> list[OutgoingMessage]:
    """Return the first poison messages of a seed."""
    return list(islice(poison(seeded(seed), LATEST_YEAR), number))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("not JSON", "not JSON: Input data was truncated"),
        ("a field missing", "missing required field `make`"),
        ("a field of the wrong type", "Expected `int`, got `str` - at `$.year`"),
        ("a number out of bounds", "Expected `int` >= 0 - at `$.mileage`"),
        ("a year before cars", "Expected `int` >= 1886 - at `$.year`"),
    ],
)
def test_each_kind_is_malformed_in_its_own_way(kind: str, reason: str) -> None:
    """Each kind of poison is invalid for a reason of its own."""
    with pytest.raises(InvalidMessageError) as caught:
        parse(KINDS[kind](CIVIC), LATEST_YEAR)

    assert reason in str(caught.value)


@given(st.integers())
def test_poison_is_never_a_vehicle(seed: int) -> None:
    """No poison message is valid, and all kinds occur before one is repeated."""
    messages = some_poison(2 * len(KINDS), seed)
    for message in messages:
        assert message.poison
        assert message.origin is Origin.POISON
        assert "\n" not in message.body
        assert message.size == len(message.body.encode())
        with pytest.raises(InvalidMessageError):
            parse(message.body, LATEST_YEAR)

    assert [message.name() for message in messages[:2]] == ["poison 1", "poison 2"]


@given(st.integers(0, 100), st.integers(0, 30), st.integers())
def test_places_among_others_are_distinct_and_within_the_run(
    others: int, number: int, seed: int
) -> None:
    """Places are distinct, ordered, and within the run."""
    places = list(places_among(others, number, seeded(seed)))

    assert places == sorted(set(places))
    assert len(places) == number
    assert all(0 <= place < others + number for place in places)


@given(st.integers(0, 30), st.integers())
def test_places_ahead_are_never_far_apart(number: int, seed: int) -> None:
    """Places in a run of unknown length are close enough for a short file."""
    places = [-1, *places_ahead(number, seeded(seed))]

    assert len(places) == number + 1
    for earlier, later in pairwise(places):
        assert 1 <= later - earlier <= 1 + WIDEST_GAP


@given(
    st.lists(st.sampled_from(["message", "rejected", "pause"]), max_size=30),
    st.sets(st.integers(0, 50), max_size=10),
)
def test_mixing_keeps_every_item_in_order_and_adds_all_poison(
    kinds: list[str], places: set[int]
) -> None:
    """For any places, no item and no poison message is lost."""
    made = {"message": outgoings(1)[0], "rejected": RejectedLine(1, "why"), "pause": None}
    items = [made[kind] for kind in kinds]

    result = list(mixed(items, poison(seeded(), LATEST_YEAR), iter(sorted(places))))

    is_poison = [isinstance(item, OutgoingMessage) and item.poison for item in result]
    assert [item for item, bad in zip(result, is_poison, strict=True) if not bad] == items
    assert sum(is_poison) == len(places)


def test_poison_stands_at_its_places_among_the_messages() -> None:
    """Places count messages only; poison with a place beyond the end comes last."""
    items = [outgoings(1)[0], RejectedLine(2, "why"), None, *outgoings(2, first=3)]

    result = list(mixed(items, poison(seeded(), LATEST_YEAR), iter([0, 2, 9])))

    shown = [item.name() if isinstance(item, OutgoingMessage) else None for item in result]
    assert shown == ["poison 1", "line 1", None, None, "poison 2", "line 3", "line 4", "poison 3"]
