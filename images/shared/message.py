"""The message that both programs exchange: one vehicle as JSON, validated while decoded."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from shared.errors import InvalidMessageError

FIRST_YEAR = 1886
"""No car is older than Benz's patent of 1886."""

Text = Annotated[str, msgspec.Meta(min_length=1, pattern=r"\S")]


class Vehicle(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One vehicle, as in the exercise: `mileage` is not negative, texts are not blank."""

    vehicle_id: Text
    make: Text
    model: Text
    year: Annotated[int, msgspec.Meta(ge=FIRST_YEAR)]
    color: Text
    mileage: Annotated[int, msgspec.Meta(ge=0)]


class Parsed(msgspec.Struct, frozen=True):
    """A valid body: the vehicle, and the fields that the sender added to it."""

    vehicle: Vehicle
    extra: dict[str, Any]


_FIELDS = frozenset(Vehicle.__struct_encode_fields__)
_decoder = msgspec.json.Decoder(Vehicle)
_encoder = msgspec.json.Encoder()

_NOT_JSON = (msgspec.DecodeError, UnicodeError, RecursionError)
"""Raised by decoding for a text that is malformed, wrongly encoded or nested too deeply."""


def encode(vehicle: Vehicle) -> str:
    """Return the vehicle as compact JSON text, ready to be a message's body."""
    return _encoder.encode(vehicle).decode()


def parse(body: str | bytes, latest_year: int) -> Parsed:
    """Decode and validate one message body.

    Args:
        body: JSON text.
        latest_year: newest model year that is accepted (next year, by the caller's clock).

    Returns:
        The vehicle, with unknown fields kept in `extra`.

    Raises:
        InvalidMessageError: not JSON, not an object, a field missing, of another type or out of
            bounds; the text names the field.
    """
    try:
        parsed = Parsed(_decoder.decode(body), {})
    except msgspec.ValidationError as error:
        parsed = _parse_with_extra(body, error)
    except _NOT_JSON as error:
        raise InvalidMessageError(f"not JSON: {error}") from error
    if parsed.vehicle.year > latest_year:
        raise InvalidMessageError(
            f"Expected `int` <= {latest_year} - at `$.year`, got {parsed.vehicle.year}"
        )
    return parsed


def _parse_with_extra(body: str | bytes, error: msgspec.ValidationError) -> Parsed:
    """Decode a body that the strict decoder refused, perhaps only because of unknown fields."""
    try:
        fields = msgspec.json.decode(body)
        if not isinstance(fields, dict):
            raise InvalidMessageError(str(error)) from error
        known = {name: value for name, value in fields.items() if name in _FIELDS}
        vehicle = msgspec.convert(known, Vehicle)
    except msgspec.ValidationError as reason:
        raise InvalidMessageError(str(reason)) from error
    except _NOT_JSON as reason:  # the strict decoder stopped before the malformed part
        raise InvalidMessageError(f"not JSON: {reason}") from error
    return Parsed(vehicle, {name: fields[name] for name in fields if name not in _FIELDS})


def single_line(body: str) -> msgspec.Raw:
    """Return a valid JSON body as it was sent, but on one line, to be embedded in a log line.

    Outside of strings, JSON has no other controls than line ends and tabs.
    """
    if "\n" in body or "\r" in body or "\t" in body:
        return msgspec.Raw(msgspec.json.format(body, indent=-1))
    return msgspec.Raw(body.encode())
