"""Field template: a text made of a message's own fields, such as '{customer.id}'."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class FieldTemplate:
    """A text with names of fields in braces; '{{' and '}}' are braces themselves.

    `fields` has the names, in order, as they stand between the braces.
    """

    def __init__(self, text: str, example: str) -> None:
        """Read the template; an error shows `example`, a field as one would write it.

        Raises:
            ValueError: a brace is wrong, or holds more than a name; the text says which.
        """
        self._parts: list[tuple[str, str | None]] = []
        for literal, field, form, conversion in Formatter().parse(text):
            if field is not None and (form or conversion or not field):
                raise ValueError(f"give names of fields alone between braces, as in {example}")
            self._parts.append((literal, field))
        self.fields = tuple(field for _, field in self._parts if field is not None)

    def render(self, text_of: Callable[[str], str]) -> str:
        """Return the text, with `text_of(name)` in the place of each field."""
        return "".join(
            literal + ("" if field is None else text_of(field)) for literal, field in self._parts
        )


def field_of(body: object, name: str) -> object:
    """Return a field of a decoded body; 'customer.id' is a field of the field 'customer'.

    Raises:
        KeyError: there is no such field.
    """
    value = body
    for step in name.split("."):
        if not isinstance(value, dict):
            raise KeyError(step)
        value = value[step]
    return value


def scalar_text(value: object) -> str | None:
    """Return a JSON text, number, true or false as text (7 is "7"); None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None
