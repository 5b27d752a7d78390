"""Message maker: from a body's bytes to a message with attributes and groups, or a rejection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from producer.messages import attributes
from producer.messages.outgoing_message import Origin, OutgoingMessage, RejectedLine, utf8_size
from producer.messages.template_text import check_id
from shared.errors import InvalidMessageError
from shared.message import single_line
from shared.quotas import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from producer.messages.template_text import TemplateText

TOO_LONG: Final = f"more than {MAX_BYTES} bytes, the most that SQS accepts"

POISON_GROUP: Final = "poison"
"""The group of a malformed message whose fields cannot be read."""


class _WithAttributes(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A line with a body and what surrounds it; a body that is a JSON text is sent as its text."""

    body: msgspec.Raw
    attributes: dict[str, Any] = {}
    group_id: str | None = None
    deduplication_id: str | None = None


_lines = msgspec.json.Decoder(_WithAttributes)


@dataclass(frozen=True, slots=True)
class MessageMaker:
    """Makes messages of bodies.

    Attributes:
        check: raises InvalidMessageError for a body that must not be sent.
        attributes: attributes of every message; those of a line override them.
        attribute_types: their data types, where they are not String.
        group: the template of group ids.
        deduplication: the template of deduplication ids.
        run: for a FIFO queue, the beginning of the deduplication ids that no template gives.
        with_attributes: whether lines are objects with a body and attributes.
    """

    check: Callable[[bytes], object] | None = None
    attributes: Mapping[str, str | bytes] = field(default_factory=dict)
    attribute_types: Mapping[str, str] = field(default_factory=dict)
    group: TemplateText | None = None
    deduplication: TemplateText | None = None
    run: str | None = None
    with_attributes: bool = False

    def of_input(
        self, number: int, raw: bytes, origin: Origin = Origin.LINE, own: Mapping[str, str] = {}
    ) -> OutgoingMessage | RejectedLine:
        """Return the message of a line, an element or a row; `own` are its attributes."""
        try:
            return self._of_input(number, raw, origin, own)
        except InvalidMessageError as error:
            return RejectedLine(number, str(error), origin)
        except UnicodeDecodeError as error:
            reason = f"not UTF-8: {error.reason} at byte {error.start + 1}"
            return RejectedLine(number, reason, origin)

    def of_generated(self, message: OutgoingMessage) -> OutgoingMessage:
        """Return a message of the producer's own with attributes and groups."""
        if not (self.attributes or self.group or self.run):
            return message
        try:
            fields = decoded(message.body.encode())
            group, deduplication = self._ids(fields, message.origin, message.number)
        except InvalidMessageError:
            # Only poison has no fields. It is sent all the same, as that is its purpose.
            group = POISON_GROUP if self.group else None
            deduplication = self._deduplication_of_run(message.origin, message.number)
        return self._complete(message, {}, {}, group, deduplication)

    def _of_input(
        self, number: int, raw: bytes, origin: Origin, own: Mapping[str, str]
    ) -> OutgoingMessage | RejectedLine:
        body, fields = raw, decoded(raw)
        line = None
        values: dict[str, str | bytes] = dict(own)
        types: dict[str, str] = {}
        for name, value in own.items():
            attributes.check(name, value)
        if self.with_attributes:
            line = _unwrapped(raw)
            fields = msgspec.json.decode(line.body)
            body = fields.encode() if isinstance(fields, str) else bytes(line.body)
            values, types = attributes.from_json(line.attributes)
        if self.check:
            self.check(body)
        text = body.decode()
        if origin is Origin.ELEMENT and ("\n" in text or "\r" in text):
            text = bytes(single_line(text)).decode()
        if wrong := "an empty body" if not text else attributes.forbidden_in(text):
            raise InvalidMessageError(wrong)
        group, deduplication = self._ids(fields, origin, number, line)
        vehicle_id = fields.get("vehicleId") if isinstance(fields, dict) else None
        message = OutgoingMessage(
            text,
            utf8_size(text),
            origin,
            number,
            vehicle_id if isinstance(vehicle_id, str) else None,
        )
        return self._complete(message, values, types, group, deduplication)

    def _complete(
        self,
        message: OutgoingMessage,
        values: dict[str, str | bytes],
        types: dict[str, str],
        group: str | None,
        deduplication: str | None,
    ) -> OutgoingMessage:
        if not (self.attributes or values or group or deduplication):
            if message.size > MAX_BYTES:
                raise InvalidMessageError(TOO_LONG)
            return message
        # The type of an attribute that the line overrides is the line's, String by default.
        types = {
            name: kind for name, kind in self.attribute_types.items() if name not in values
        } | (types)
        values = {**self.attributes, **values}
        if len(values) > attributes.MOST:
            raise InvalidMessageError(
                f"{len(values)} attributes: SQS accepts {attributes.MOST} at most"
            )
        size = message.size + attributes.size(values, types)
        if size > MAX_BYTES:
            raise InvalidMessageError(TOO_LONG)
        return OutgoingMessage(
            message.body,
            size,
            message.origin,
            message.number,
            message.vehicle_id,
            values,
            types,
            group,
            deduplication,
        )

    def _ids(
        self, fields: object, origin: Origin, number: int, line: _WithAttributes | None = None
    ) -> tuple[str | None, str | None]:
        group = line.group_id if line else None
        if group is not None:
            check_id(group, "group id")
        elif self.group:
            group = self.group.render(fields, "group id")
        elif self.run:
            raise InvalidMessageError("no group id, which a FIFO queue needs")
        deduplication = line.deduplication_id if line else None
        if deduplication is not None:
            if not self.run:
                raise InvalidMessageError("a deduplication id is for FIFO queues alone")
            check_id(deduplication, "deduplication id")
        elif self.deduplication:
            deduplication = self.deduplication.render(fields, "deduplication id")
        return group, deduplication or self._deduplication_of_run(origin, number)

    def _deduplication_of_run(self, origin: Origin, number: int) -> str | None:
        return f"{self.run}-{origin}-{number}" if self.run else None


def decoded(body: bytes) -> object:
    """Return the decoded body.

    Raises:
        InvalidMessageError: it is not JSON.
    """
    try:
        value: object = msgspec.json.decode(body)
    except UnicodeError as error:
        raise InvalidMessageError("not UTF-8") from error
    except (msgspec.DecodeError, RecursionError) as error:
        hint = (
            " (a message over several lines needs a JSON array)"
            if body.strip() in {b"{", b"["}
            else ""
        )
        raise InvalidMessageError(f"not JSON: {error}{hint}") from error
    return value


def _unwrapped(raw: bytes) -> _WithAttributes:
    try:
        return _lines.decode(raw)
    except msgspec.ValidationError as error:
        raise InvalidMessageError(f"{error} (--with-attributes)") from error
