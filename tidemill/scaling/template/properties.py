"""Typed access to a resource's properties, with errors that name the place in the template."""

from __future__ import annotations

import math
import re
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar, cast

from tidemill.scaling.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Collection

    from tidemill.scaling.template.document import Document

Choice = TypeVar("Choice", bound=StrEnum)

INTEGER = (-(2**31), 2**31 - 1)
"""CloudFormation's Integer has 32 bits."""

COUNT = (0, INTEGER[1])

_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def as_text(value: object, where: str) -> str:
    """Return a scalar as text, as CloudFormation does; true and false in lower case.

    Raises:
        TemplateError: the value is a list, a mapping or absent.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    found = "no value"
    if isinstance(value, list | dict):
        found = "a list" if isinstance(value, list) else "a mapping"
    raise TemplateError(f"{where}: {found}, where one text is needed")


def as_number(text: str) -> float | None:
    """Return the finite number in a text, or None."""
    if not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def needed(properties: Document, key: str, where: str) -> str:
    """Return a property as text; a missing one is an error."""
    if key not in properties:
        raise TemplateError(f"{where}: {key} is missing: add it")
    return as_text(properties[key], f"{where}.{key}")


def whole(
    properties: Document,
    key: str,
    where: str,
    default: int | None = None,
    bounds: tuple[int, int] = INTEGER,
) -> int:
    """Return a property as a whole number in bounds, or `default` when it is absent."""
    if key not in properties and default is not None:
        return default
    text = needed(properties, key, where)
    if not _WHOLE.fullmatch(text):
        raise TemplateError(f"{where}.{key}: {text!r} is not a whole number")
    least, most = bounds
    if not least <= float(text) <= most:  # int() refuses thousands of digits
        raise TemplateError(f"{where}.{key}: {text} is out of bounds: give {least} to {most}")
    return int(text)


def optional(
    properties: Document, key: str, where: str, bounds: tuple[int, int] = INTEGER
) -> int | None:
    """Return a property as a whole number in bounds, or None when it is absent."""
    return whole(properties, key, where, None, bounds) if key in properties else None


def number(properties: Document, key: str, where: str) -> float:
    """Return a property as a finite number."""
    text = needed(properties, key, where)
    value = as_number(text)
    if value is None:
        raise TemplateError(f"{where}.{key}: {text!r} is not a number")
    return value


def bound(properties: Document, key: str, where: str) -> float | None:
    """Return a property as a finite number, or None (unbounded) when it is absent."""
    return number(properties, key, where) if key in properties else None


def one_of(
    options: Collection[str], properties: Document, key: str, where: str, default: str | None = None
) -> str:
    """Return a property as one of these texts, or `default` when it is absent."""
    if key not in properties and default is not None:
        return default
    text = needed(properties, key, where)
    if text not in options:
        raise TemplateError(f"{where}.{key}: {text!r} is not modelled: use {' or '.join(options)}")
    return text


def choice(
    kind: type[Choice], properties: Document, key: str, where: str, default: Choice | None = None
) -> Choice:
    """Return a property as a member of an enumeration, or `default` when it is absent."""
    return kind(one_of([*kind], properties, key, where, default))


def flag(properties: Document, key: str, where: str, *, default: bool) -> bool:
    """Return a property as true or false, which may be written as text."""
    if key not in properties:
        return default
    text = needed(properties, key, where).lower()
    if text not in {"true", "false"}:
        raise TemplateError(f"{where}.{key}: {text!r} is neither true nor false")
    return text == "true"


def items(properties: Document, key: str, where: str) -> list[object]:
    """Return a property as a list; an absent one is empty."""
    value = properties.get(key, [])
    if not isinstance(value, list):
        raise TemplateError(f"{where}.{key} has to be a list")
    return value


def texts(properties: Document, key: str, where: str) -> list[str]:
    """Return a property as a list of texts; an absent one is empty."""
    return [as_text(item, f"{where}.{key}") for item in items(properties, key, where)]


def entries(properties: Document, key: str, where: str) -> list[Document]:
    """Return a property as a list of mappings; an absent one is empty."""
    listed = items(properties, key, where)
    for position, item in enumerate(listed):
        if not isinstance(item, dict):
            raise TemplateError(f"{where}.{key}[{position}] has to be a mapping")
    return cast("list[Document]", listed)


def part(properties: Document, key: str, where: str) -> Document:
    """Return a property as a mapping; an absent one is empty."""
    value = properties.get(key, {})
    if not isinstance(value, dict):
        raise TemplateError(f"{where}.{key} has to be a mapping")
    return value
