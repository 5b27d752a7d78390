"""Outgoing message: a body to send with its attributes and groups, and where it came from."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.queue import OutgoingEntry


class Origin(StrEnum):
    """Where a message was made: a line or an element of the input, or by the producer itself."""

    LINE = "line"
    ELEMENT = "element"
    VEHICLE = "vehicle"
    POISON = "poison"

    @property
    def of_input(self) -> bool:
        """Return whether the message is the user's, from a file or a pipe."""
        return self in {Origin.LINE, Origin.ELEMENT}


class OutgoingMessage(msgspec.Struct, frozen=True, gc=False):
    """A message to send; a msgspec struct, because dataclasses are slow to create.

    `size` is what SQS counts: the body's bytes in UTF-8, and those of the attributes. `number`
    counts from 1 per origin: lines of the file, elements of its array, generated vehicles, or
    poison messages. `attribute_types` has the data types that are not String.
    """

    body: str
    size: int
    origin: Origin
    number: int
    vehicle_id: str | None = None
    attributes: dict[str, str | bytes] = {}
    attribute_types: dict[str, str] = {}
    group_id: str | None = None
    deduplication_id: str | None = None

    @property
    def poison(self) -> bool:
        """Return whether the message was made malformed on purpose."""
        return self.origin is Origin.POISON

    @property
    def plain(self) -> bool:
        """Return whether the message is nothing but its body."""
        return not (self.attributes or self.group_id or self.deduplication_id)

    def name(self) -> str:
        """Return the message's name for people: 'line 12' or 'vehicle VH2001'."""
        if self.origin is Origin.VEHICLE:
            return f"vehicle {self.vehicle_id}"
        return f"{self.origin} {self.number}"

    def entry(self) -> str | OutgoingEntry:
        """Return the message as the queue takes it."""
        if self.plain:
            return self.body
        return OutgoingEntry(
            self.body,
            self.attributes,
            self.attribute_types,
            self.group_id,
            self.deduplication_id,
        )


class RejectedLine(msgspec.Struct, frozen=True):
    """A line, or an element, of the input that cannot be sent, and the reason."""

    line: int
    reason: str
    origin: Origin = Origin.LINE

    def name(self) -> str:
        """Return its name for people: 'line 12'."""
        return f"{self.origin} {self.line}"


def utf8_size(text: str) -> int:
    """Return the text's length in UTF-8 bytes, as SQS counts it."""
    return len(text) if text.isascii() else len(text.encode())
