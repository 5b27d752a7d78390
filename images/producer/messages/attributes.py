"""Attributes: names and values that SQS accepts, and how many bytes they count."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from producer.messages.outgoing_message import utf8_size
from shared.errors import InvalidMessageError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 10
"""Attributes of one message ("Amazon SQS message quotas")."""

NAME: Final = re.compile(r"(?!(?i:aws\.|amazon\.))[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
"""Names as the page "Amazon SQS message metadata" has them; a name has 256 characters at most."""

LONGEST_NAME: Final = 256

NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
MOST_DIGITS: Final = 38
"""Digits of a Number, without zeroes around them ("Amazon SQS message metadata")."""

LEAST: Final = Decimal("1e-128")
LARGEST: Final = Decimal("1e126")

TYPE: Final = re.compile(r"(String|Number)(\.[A-Za-z0-9_.-]{1,240})?")

FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""The characters that SQS refuses in bodies and values (API, SendMessage)."""


def forbidden_in(text: str) -> str | None:
    """Return what is wrong with a text that SQS would refuse, else None."""
    found = FORBIDDEN.search(text)
    return f"SQS does not accept the character U+{ord(found[0]):04X}" if found else None


def read_option(given: str) -> tuple[str, str, str]:
    """Return name, data type and value of `--attribute NAME=VALUE` or `NAME:TYPE=VALUE`.

    Raises:
        ValueError: it is not of that form, or SQS would refuse it.
    """
    left, equals, value = given.partition("=")
    name, colon, data_type = left.partition(":")
    if not equals:
        raise ValueError("give NAME=VALUE")
    if colon and not TYPE.fullmatch(data_type):
        raise ValueError(f"the type {data_type!r} is neither String nor Number")
    try:
        check(name, value, data_type)
    except InvalidMessageError as error:
        raise ValueError(str(error)) from error
    return name, data_type or "String", value


def check(name: str, value: str, data_type: str = "") -> None:
    """Raise InvalidMessageError if SQS would refuse an attribute; it is a String by default."""
    if len(name) > LONGEST_NAME or not NAME.fullmatch(name):
        raise InvalidMessageError(f"SQS does not accept the attribute name {name[:40]!r}")
    if not value:
        raise InvalidMessageError(f"the attribute {name} is empty, which SQS does not accept")
    if wrong := forbidden_in(value):
        raise InvalidMessageError(f"attribute {name}: {wrong}")
    if data_type.startswith("Number") and not _is_number(value):
        raise InvalidMessageError(
            f"the attribute {name} is no number that SQS accepts: {MOST_DIGITS} digits at most, "
            f"of {LEAST} to {LARGEST}"
        )


def from_json(given: object) -> tuple[dict[str, str | bytes], dict[str, str]]:
    """Return values and data types of a JSON object of attributes: texts and numbers.

    Raises:
        InvalidMessageError: it is no object, or a value is neither a text nor a number.
    """
    if not isinstance(given, dict):
        raise InvalidMessageError("`attributes` is not an object")
    values: dict[str, str | bytes] = {}
    types: dict[str, str] = {}
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InvalidMessageError(f"the attribute {name} is neither a text nor a number")
        values[name] = str(value)
        if not isinstance(value, str):
            types[name] = "Number"
        check(name, str(value), types.get(name, ""))
    return values, types


def size(attributes: Mapping[str, str | bytes], types: Mapping[str, str]) -> int:
    """Return the bytes that SQS counts: of each name, data type and value."""
    return sum(
        utf8_size(name) + len(types.get(name, "String")) + _bytes_of(value)
        for name, value in attributes.items()
    )


def _is_number(text: str) -> bool:
    if not NUMBER.fullmatch(text):
        return False
    value = Decimal(text).copy_abs()  # abs() would round
    digits = "".join(map(str, value.as_tuple().digits)).strip("0")
    return not value or (LEAST <= value <= LARGEST and len(digits) <= MOST_DIGITS)


def _bytes_of(value: Any) -> int:  # noqa: ANN401 - str or bytes, whatever the type says
    return utf8_size(value) if isinstance(value, str) else len(value)
