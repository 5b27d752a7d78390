"""One message on its way out: its body, and where it came from in case something goes wrong."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Origin(StrEnum):
    """Where a message comes from."""

    LINE = "line"
    VEHICLE = "vehicle"
    POISON = "poison"


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A message to send; a msgspec struct since one is made per message and dataclasses are slow.

    `size` is the body's length in UTF-8 bytes. `number` counts from 1: the line of the file, or
    the place among the generated vehicles, or among the poison.
    """

    body: str
    size: int
    origin: Origin
    number: int
    vehicle_id: str | None

    @property
    def poison(self) -> bool:
        """Tell whether the message was made malformed on purpose."""
        return self.origin is Origin.POISON

    def name(self) -> str:
        """Return how to tell people which message this is: 'line 12' or 'vehicle VH2001'."""
        if self.origin is Origin.VEHICLE:
            return f"vehicle {self.vehicle_id}"
        return f"{self.origin} {self.number}"


class Rejected(msgspec.Struct, frozen=True):
    """A line of the input that cannot be sent, and why."""

    line: int
    reason: str


def utf8_size(text: str) -> int:
    """Return the text's length in UTF-8 bytes, which is what SQS counts."""
    return len(text) if text.isascii() else len(text.encode())
