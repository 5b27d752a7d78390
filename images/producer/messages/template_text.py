"""Template text: an id made of a message's own fields, such as '{vehicleId}'."""

from __future__ import annotations

import re
from string import Formatter
from typing import Final

from shared.errors import InvalidMessageError

ACCEPTED: Final = re.compile(r"[!-~]{1,128}")
"""Ids of groups and deduplication: letters, digits, punctuation (API, SendMessageBatch)."""

SHOWN: Final = 40
"""Characters of an id that an error shows."""


class TemplateText:
    """A text with fields in braces, '{customer.id}'; '{{' and '}}' are braces themselves."""

    def __init__(self, text: str) -> None:
        """Read the template.

        Raises:
            ValueError: it is empty, or a brace is wrong; the text says which.
        """
        if not text:
            raise ValueError("it is empty")
        parts = []
        for literal, field, form, conversion in Formatter().parse(text):
            if field is not None and (form or conversion or not field):
                raise ValueError("give names of fields alone between braces, as in {vehicleId}")
            parts.append((literal, field))
        self._parts = parts
        self.constant = all(field is None for _, field in parts)

    def render(self, fields: object, what: str) -> str:
        """Return the text for a message with these fields, its decoded body.

        Raises:
            InvalidMessageError: a field is missing or not a text, number, true or false, or SQS
                does not accept the result as `what`, such as 'group id'.
        """
        text = "".join(
            literal + ("" if name is None else _text_of(fields, name, what))
            for literal, name in self._parts
        )
        check_id(text, what)
        return text


def check_id(text: str, what: str) -> None:
    """Raise InvalidMessageError if SQS does not accept this text as `what`, such as 'group id'."""
    if not ACCEPTED.fullmatch(text):
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
        raise InvalidMessageError(
            f"SQS does not accept the {what} {shown!r}: 1 to 128 letters of ASCII, digits and "
            "punctuation"
        )


def _text_of(fields: object, name: str, what: str) -> str:
    value = fields
    for step in name.split("."):
        if not isinstance(value, dict) or step not in value:
            raise InvalidMessageError(f"no field `{name}` for the {what}")
        value = value[step]
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise InvalidMessageError(
            f"field `{name}` cannot be in the {what}: it is no text and no number"
        )
    return str(value)
