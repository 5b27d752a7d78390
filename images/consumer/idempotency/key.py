"""Idempotency key: which messages count as the same, by a template such as '{order.id}'."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from shared.errors import InvalidMessageError
from shared.field_template import FieldTemplate, field_of, scalar_text

if TYPE_CHECKING:
    from consumer.delivery import Delivery

LONGEST: Final = 512
"""Characters of a key that is stored as it is; DynamoDB takes keys of up to 2,048 bytes."""

MARKED: Final = "@"
"""What begins the name of a field that is not in the body, such as @message_id."""

ATTRIBUTE: Final = "@attribute."
SYSTEM: Final = {"@group_id": "MessageGroupId", "@deduplication_id": "MessageDeduplicationId"}


class IdempotencyKey:
    """The key of a message; those of another queue are different keys, also in the same table."""

    def __init__(self, template: str, queue_name: str) -> None:
        """Read the template.

        A field in braces is one of the body's, a JSON object: {order} or {order.id}. Others are
        {@message_id}, {@group_id}, {@deduplication_id} and {@attribute.NAME}. '{{' and '}}' are
        braces themselves.

        Raises:
            ValueError: the template is wrong; the text says how.
        """
        self._template = FieldTemplate(template, example="{order.id}")
        for field in self._template.fields:
            _check(field)
        if not self._template.fields:
            raise ValueError("it has no field, so all messages would count as the same one")
        self._reads_body = any(not field.startswith(MARKED) for field in self._template.fields)
        self._prefix = f"{queue_name}#"

    def of(self, delivery: Delivery) -> str:
        """Return the key of a message.

        Raises:
            InvalidMessageError: the message lacks a field of the key.
        """
        body = _decoded(delivery.body) if self._reads_body else None
        text = self._template.render(lambda field: _text(_value(delivery, body, field), field))
        if len(text) > LONGEST:
            text = hashlib.sha256(text.encode()).hexdigest()
        return self._prefix + text


def _check(field: str) -> None:
    attribute = field.startswith(ATTRIBUTE) and field != ATTRIBUTE
    if field.startswith(MARKED) and not (attribute or field in {"@message_id", *SYSTEM}):
        raise ValueError(
            f"{field} is none of @message_id, @group_id, @deduplication_id and @attribute.NAME"
        )


def _decoded(body: str) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None  # as a body without any field


def _value(delivery: Delivery, body: object, field: str) -> object:
    received = delivery.received
    if field == "@message_id":
        return received.message_id
    if field in SYSTEM:
        return received.system.get(SYSTEM[field])
    if field.startswith(ATTRIBUTE):
        return received.attributes.get(field.removeprefix(ATTRIBUTE))
    try:
        return field_of(body, field)
    except KeyError:
        return None


def _text(value: object, field: str) -> str:
    """Return the value as text: 7 and "7" are the same key, true is another."""
    if isinstance(value, bytes):
        return value.hex()
    if text := scalar_text(value):
        return text
    raise InvalidMessageError(f"no field `{field}` with a text or number for IDEMPOTENCY_KEY")
