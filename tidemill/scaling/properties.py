"""Typed access to a resource's properties, with errors that name the place in the template."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from tidemill.scaling.errors import TemplateError

if TYPE_CHECKING:
    from tidemill.scaling.template import Document

Choice = TypeVar("Choice", bound=StrEnum)


def needed(properties: Document, key: str, where: str) -> str:
    """Return a property as text, or say that it is missing."""
    if key not in properties:
        raise TemplateError(f"{where}: {key} is missing")
    return str(properties[key])


def whole(properties: Document, key: str, where: str, default: int | None = None) -> int:
    """Return a property as a whole number; `default` stands in for an absent one."""
    if key not in properties and default is not None:
        return default
    text = needed(properties, key, where)
    try:
        return int(text)
    except ValueError as error:
        raise TemplateError(f"{where}.{key}: {text!r} is not a whole number") from error


def optional(properties: Document, key: str, where: str) -> int | None:
    """Return a property as a whole number, or None when it is absent."""
    return whole(properties, key, where) if key in properties else None


def bound(properties: Document, key: str, where: str) -> float | None:
    """Return a property as a number, or None (unbounded) when it is absent."""
    if key not in properties:
        return None
    try:
        return float(properties[key])
    except (TypeError, ValueError) as error:
        raise TemplateError(f"{where}.{key}: not a number") from error


def choice(kind: type[Choice], properties: Document, key: str, where: str) -> Choice:
    """Return a property as one of the values that are modelled."""
    text = needed(properties, key, where)
    try:
        return kind(text)
    except ValueError as error:
        options = ", ".join(kind)
        raise TemplateError(
            f"{where}.{key}: {text!r} is not modelled; modelled are {options}"
        ) from error
