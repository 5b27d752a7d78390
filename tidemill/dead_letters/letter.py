"""A dead letter: what is known of it from the queue, its copy to send, and its form in files."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from consumer.messages.dead_letters import MESSAGE_ID, REASON
from shared.logs import timestamp
from shared.queue import OutgoingEntry, ReceivedMessage

if TYPE_CHECKING:
    from collections.abc import Mapping


JSON_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class Letter(msgspec.Struct, frozen=True):
    """A message of the dead-letter queue, with the receipt of its last receive."""

    received: ReceivedMessage

    @property
    def id(self) -> str:
        """Return the message's id in the dead-letter queue."""
        return self.received.message_id

    @property
    def original_id(self) -> str:
        """Return the id that the consumers' lines have; that of a rejected message's copy differs.

        SQS keeps the id of a message that it moves itself.
        """
        named = self.received.attributes.get(MESSAGE_ID)
        return named if isinstance(named, str) else self.id

    @property
    def rejected_reason(self) -> str | None:
        """Return why a handler rejected the message, if its copy says so."""
        reason = self.received.attributes.get(REASON)
        return reason if isinstance(reason, str) else None

    @property
    def group_id(self) -> str | None:
        """Return the message group."""
        return self.received.group_id

    @property
    def source(self) -> str | None:
        """Return the name of the queue from which SQS moved it; None for copies and others."""
        arn = self.received.system.get("DeadLetterQueueSourceArn")
        return arn.rsplit(":", 1)[-1] if arn else None


def decoded_body(letter: Letter) -> object:
    """Return what the body is as JSON; None if it is no JSON."""
    try:
        return msgspec.json.decode(letter.received.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def entry_of(letter: Letter, *, fifo: bool) -> OutgoingEntry:
    """Return the letter as a message to send: body, attributes, trace and group are the same.

    For a FIFO queue the deduplication id is the letter's message id, as SQS itself has it for dead
    letters ("Learn how to configure a dead-letter queue redrive in Amazon SQS"). So SQS does not
    drop a letter because its message was sent less than five minutes ago, and it does drop the
    second one of a letter that is sent twice.
    """
    received = letter.received
    return OutgoingEntry(
        body=received.body,
        attributes=received.attributes,
        attribute_types=received.attribute_types,
        group_id=received.group_id or (letter.id if fifo else None),
        deduplication_id=letter.id if fifo else None,
        trace_header=received.system.get("AWSTraceHeader"),
    )


def edited_entry(
    entry: OutgoingEntry, body: str, attributes: Mapping[str, str], removed: tuple[str, ...] = ()
) -> OutgoingEntry:
    """Return the message with another body and attributes; another content is another message.

    Args:
        entry: the message to send.
        body: its new body.
        attributes: texts that replace attributes of the same name, or are added.
        removed: names of attributes to leave out.
    """
    values = {name: value for name, value in entry.attributes.items() if name not in removed}
    types = {name: kind for name, kind in entry.attribute_types.items() if name in values}
    for name in attributes:
        if not types.get(name, "").startswith("Number"):
            types.pop(name, None)
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    return msgspec.structs.replace(
        entry,
        body=body,
        attributes=values | dict(attributes),
        attribute_types=types,
        deduplication_id=entry.deduplication_id and f"{entry.deduplication_id}-{digest}",
    )


def record(letter: Letter) -> dict[str, Any]:
    """Return the letter as an object of JSON, with all that SQS knows; binary values in base64."""
    received = letter.received
    return {
        "messageId": letter.id,
        "originalMessageId": letter.original_id,
        "sentAt": timestamp(received.sent_at),
        "receiveCount": received.receive_count,
        "source": letter.source,
        "groupId": received.group_id,
        "deduplicationId": received.system.get("MessageDeduplicationId"),
        "traceHeader": received.system.get("AWSTraceHeader"),
        "senderId": received.system.get("SenderId"),
        "attributes": {
            name: {"type": received.attribute_types.get(name, "String"), "value": value}
            if isinstance(value, str)
            else {
                "type": received.attribute_types.get(name, "Binary"),
                "base64": base64.b64encode(value).decode(),
            }
            for name, value in received.attributes.items()
        },
        "body": received.body,
    }


def producer_line(letter: Letter) -> dict[str, Any] | None:
    """Return the letter as a line that the producer sends with --with-attributes.

    None if it has an attribute that the producer's files cannot hold: binary, of a type of one's
    own, or a number that JSON does not know. The body is a text in the line, so that it stays the
    same, whatever it is.
    """
    received = letter.received
    attributes: dict[str, str | msgspec.Raw] = {}
    for name, value in received.attributes.items():
        kind = received.attribute_types.get(name, "String")
        if isinstance(value, bytes) or kind not in {"String", "Number"}:
            return None
        if kind == "Number" and not JSON_NUMBER.fullmatch(value):
            return None
        attributes[name] = value if kind == "String" else msgspec.Raw(value.encode())
    line: dict[str, Any] = {"body": received.body, "attributes": attributes}
    if received.group_id is not None:
        line["groupId"] = received.group_id
    return line
