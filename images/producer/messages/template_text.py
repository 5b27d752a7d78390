"""Template text: an id made of a message's own fields, such as '{vehicleId}'."""

from __future__ import annotations

import re
from typing import Final

from shared.errors import InvalidMessageError
from shared.field_template import FieldTemplate, field_of, scalar_text

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
        self._template = FieldTemplate(text, example="{vehicleId}")
        self.constant = not self._template.fields

    def render(self, fields: object, what: str) -> str:
        """Return the text for a message with these fields, its decoded body.

        Raises:
            InvalidMessageError: a field is missing or not a text, number, true or false, or SQS
                does not accept the result as `what`, such as 'group id'.
        """
        text = self._template.render(lambda name: _text_of(fields, name, what))
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
    try:
        text = scalar_text(field_of(fields, name))
    except KeyError as error:
        raise InvalidMessageError(f"no field `{name}` for the {what}") from error
    if text is None:
        raise InvalidMessageError(
            f"field `{name}` cannot be in the {what}: it is no text and no number"
        )
    return text
