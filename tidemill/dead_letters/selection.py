"""Selection: which dead letters a command is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.field_template import field_of, scalar_text
from tidemill.dead_letters.errors import DeadLetterError
from tidemill.dead_letters.letter import decoded_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemill.dead_letters.letter import Letter

SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
SHORTEST_ID: Final = 4
"""Characters of an id that are enough, if only one letter's id begins with them."""

SHOWN: Final = 5
"""Ids in a sentence about an id that is not clear."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Letters that fulfil everything that is given; nothing given selects all.

    Attributes:
        ids: beginnings of ids, of which a letter must have one.
        reason: what its reason contains, in any case of letters.
        older: the least age in seconds since it was sent.
        newer: the largest age.
        fields: fields of the body, and the text of each; None for any value.
        attributes: attributes, and the text of each; None for any value.
        group: its message group.
        source: the name of the queue from which SQS moved it.
    """

    ids: tuple[str, ...] = ()
    reason: str | None = None
    older: float | None = None
    newer: float | None = None
    fields: tuple[tuple[str, str | None], ...] = ()
    attributes: tuple[tuple[str, str | None], ...] = ()
    group: str | None = None
    source: str | None = None

    @property
    def everything(self) -> bool:
        """Return whether nothing is given."""
        return self == Selection()

    def matches(self, letter: Letter, reason: str | None, now: float) -> bool:
        """Return whether a letter is selected at `now`, in epoch seconds.

        If its reason is None, it is not known yet, and everything else decides.
        """
        age = now - letter.received.sent_at
        return (
            (not self.ids or any(names(letter, given) for given in self.ids))
            and (None in {self.reason, reason} or _contains(reason or "", self.reason or ""))
            and (self.older is None or age >= self.older)
            and (self.newer is None or age <= self.newer)
            and self.group in {None, letter.group_id}
            and self.source in {None, letter.source}
            and all(_has_attribute(letter, name, text) for name, text in self.attributes)
            and (not self.fields or _has_fields(letter, self.fields))
        )

    def check_ids(self, letters: Sequence[Letter]) -> None:
        """Check that each id given means one letter.

        Raises:
            DeadLetterError: it means none or several of these.
        """
        for given in self.ids:
            found = sorted(letter.id for letter in letters if names(letter, given))
            if not found:
                raise DeadLetterError(
                    f"no dead letter has an id that begins with {given}, among the {len(letters)} "
                    "that could be looked at: `tidemill dlq list` shows them"
                )
            if len(found) > 1 and given not in found:
                raise DeadLetterError(
                    f"{given} is not clear: it begins {', '.join(found[:SHOWN])}"
                    f"{' and others' if len(found) > SHOWN else ''}; give more of the id"
                )


def names(letter: Letter, given: str) -> bool:
    """Return whether an id, or its beginning, is this letter's; in lines it is the original id."""
    return letter.id.startswith(given) or letter.original_id.startswith(given)


def seconds_of(text: str) -> float:
    """Return the seconds of a duration such as 90s, 30m, 2h or 3d.

    Raises:
        ValueError: it is no such duration.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if not found:
        raise ValueError("give a number with s, m, h or d, such as 30m or 2h")
    return float(found[1]) * SECONDS[found[2]]


def condition_of(text: str) -> tuple[str, str | None]:
    """Return name and text of NAME=TEXT; without '=' the text is None, for any value.

    Raises:
        ValueError: there is no name.
    """
    name, equals, value = text.partition("=")
    if not name:
        raise ValueError("give NAME=VALUE, or NAME for any value")
    return name, value if equals else None


def _contains(text: str, part: str) -> bool:
    return part.casefold() in text.casefold()


def _has_attribute(letter: Letter, name: str, text: str | None) -> bool:
    value = letter.received.attributes.get(name)
    return value is not None and text in {None, value}


def _has_fields(letter: Letter, wanted: Sequence[tuple[str, str | None]]) -> bool:
    body = decoded_body(letter)
    for name, text in wanted:
        try:
            value = field_of(body, name)
        except KeyError:
            return False
        shown = "null" if value is None else scalar_text(value)
        if text is not None and shown != text:
            return False
    return True
