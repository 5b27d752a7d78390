"""Outgoing message: a body to send, and its origin, which error messages name."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Origin(StrEnum):
    """Where a message was made."""

    LINE = "line"
    VEHICLE = "vehicle"
    POISON = "poison"


class OutgoingMessage(msgspec.Struct, frozen=True, gc=False):
    """A message to send; a msgspec struct, because dataclasses are slow to create.

    `size` is the body's length in UTF-8 bytes. `number` counts from 1 per origin: lines of the
    file, generated vehicles, or poison messages.
    """

    body: str
    size: int
    origin: Origin
    number: int
    vehicle_id: str | None

    @property
    def poison(self) -> bool:
        """Return whether the message was made malformed on purpose."""
        return self.origin is Origin.POISON

    def name(self) -> str:
        """Return the message's name for people: 'line 12' or 'vehicle VH2001'."""
        if self.origin is Origin.VEHICLE:
            return f"vehicle {self.vehicle_id}"
        return f"{self.origin} {self.number}"


class RejectedLine(msgspec.Struct, frozen=True):
    """A line of the input that cannot be sent, and the reason."""

    line: int
    reason: str


def utf8_size(text: str) -> int:
    """Return the text's length in UTF-8 bytes, as SQS counts it."""
    return len(text) if text.isascii() else len(text.encode())
