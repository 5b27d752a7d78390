"""Tests of the message that both programs exchange."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidMessageError
from shared.message import FIRST_YEAR, Vehicle, encode, parse, single_line

LATEST = 2027
CIVIC = {
    "vehicleId": "VH2001",
    "make": "Honda",
    "model": "Civic",
    "year": 2020,
    "color": "Blue",
    "mileage": 15000,
}

# Surrogates are no characters: they have no UTF-8, so no message can hold them.
characters = st.characters(exclude_categories=["Cs"])
texts = st.text(characters, min_size=1).filter(lambda text: text.strip() != "")
vehicles = st.builds(
    Vehicle,
    vehicle_id=texts,
    make=texts,
    model=texts,
    year=st.integers(FIRST_YEAR, LATEST),
    color=texts,
    mileage=st.integers(0, 2**53),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(characters),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(characters), inner),
    max_leaves=5,
)


def without(name: str) -> dict[str, Any]:
    """Return the exercise's example without one field."""
    return {key: value for key, value in CIVIC.items() if key != name}


@given(vehicles)
def test_what_is_encoded_parses_to_the_same_vehicle(vehicle: Vehicle) -> None:
    """A round trip loses and adds nothing, and the body is one line."""
    body = encode(vehicle)

    assert parse(body, LATEST).vehicle == vehicle
    assert parse(body.encode(), LATEST).extra == {}
    assert "\n" not in body


@given(vehicles, st.dictionaries(st.text(characters).filter(lambda key: key not in CIVIC), values))
def test_unknown_fields_are_kept_beside_the_vehicle(
    vehicle: Vehicle, extra: dict[str, Any]
) -> None:
    """Fields that are not a vehicle's are kept in `extra`."""
    parsed = parse(json.dumps({**extra, **json.loads(encode(vehicle))}), LATEST)

    assert parsed.vehicle == vehicle
    assert parsed.extra == extra


@given(st.binary() | values.map(lambda value: json.dumps(value).encode()))
def test_any_other_body_is_an_invalid_message_and_nothing_else(body: bytes) -> None:
    """For any input `parse` raises InvalidMessageError or nothing."""
    with pytest.raises(InvalidMessageError):
        parse(body, LATEST)


def test_the_exercise_example_is_a_vehicle() -> None:
    """The body that the exercise prints parses, white space and line ends included."""
    vehicle = parse(json.dumps(CIVIC, indent=4), LATEST).vehicle

    assert vehicle == Vehicle("VH2001", "Honda", "Civic", 2020, "Blue", 15000)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        pytest.param(without("make"), "make", id="missing make"),
        pytest.param(without("mileage"), "mileage", id="missing mileage"),
        pytest.param({**CIVIC, "year": "2020"}, "$.year", id="year as text"),
        pytest.param({**CIVIC, "year": 2020.5}, "$.year", id="half a year"),
        pytest.param({**CIVIC, "year": True}, "$.year", id="year true"),
        pytest.param({**CIVIC, "year": FIRST_YEAR - 1}, "$.year", id="before cars"),
        pytest.param({**CIVIC, "year": LATEST + 1}, "$.year", id="too far ahead"),
        pytest.param({**CIVIC, "mileage": -1}, "$.mileage", id="negative mileage"),
        pytest.param({**CIVIC, "mileage": None}, "$.mileage", id="null mileage"),
        pytest.param({**CIVIC, "color": ""}, "$.color", id="empty color"),
        pytest.param({**CIVIC, "make": " \t"}, "$.make", id="blank make"),
        pytest.param({**CIVIC, "vehicleId": 2001}, "$.vehicleId", id="id as number"),
        pytest.param({**CIVIC, "year": 1, "note": "x"}, "year", id="bad beside unknown field"),
    ],
)
def test_an_invalid_field_is_named(fields: dict[str, Any], names: str) -> None:
    """The error names the field at fault."""
    with pytest.raises(InvalidMessageError) as caught:
        parse(json.dumps(fields), LATEST)

    assert names in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="empty"),
        pytest.param('{"vehicleId":"VH', id="cut off"),
        pytest.param(json.dumps(CIVIC) + "}", id="something after the end"),
        pytest.param(b'{"vehicleId":"\xff"}', id="not UTF-8"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param('{"deep":' * 100_000, id="bottomless"),
        pytest.param("[]", id="an array"),
        pytest.param("null", id="null"),
    ],
)
def test_a_body_that_is_no_json_object_is_invalid(body: str | bytes) -> None:
    """A body that is malformed, wrongly encoded, nested too deeply, or no object is invalid."""
    with pytest.raises(InvalidMessageError):
        parse(body, LATEST)


@pytest.mark.parametrize("year", [FIRST_YEAR, LATEST])
def test_both_bounds_of_the_year_are_valid(year: int) -> None:
    """The years of the first car and of next year's models are valid."""
    assert parse(json.dumps({**CIVIC, "year": year}), LATEST).vehicle.year == year


@given(vehicles, st.sampled_from([None, 0, 2, "\t"]))
def test_a_single_line_means_the_same_as_the_body(
    vehicle: Vehicle, indent: int | str | None
) -> None:
    """A body on several lines becomes the same JSON on one line."""
    body = json.dumps(json.loads(encode(vehicle)), indent=indent)

    line = bytes(single_line(body))

    assert not {*b"\n\r\t"} & {*line}
    assert json.loads(line) == json.loads(body)


def test_a_body_on_one_line_is_logged_as_it_was_sent() -> None:
    """A body on one line keeps its spaces, order and unknown fields."""
    body = '{ "b": 1,  "a": 2 }'

    assert bytes(single_line(body)) == body.encode()
