"""Envelopes: what SNS, EventBridge and S3 put around a message, recognised and taken off.

SNS without raw delivery, EventBridge and S3 each send JSON of their own to a queue, with what a
handler wants inside. ENVELOPE says which of them a queue gets. With "auto", a body that is one of
the three is unwrapped, inside of SNS's envelope, too, and any other body stays as it is.

The forms are those of the pages "Fanout Amazon SNS notifications to Amazon SQS queues" (SNS),
"Events in Amazon EventBridge", and "Event message structure" (S3).
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from consumer.attempt import AttemptResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from shared.queue import ReceivedMessage

NONE: Final = "none"
AUTO: Final = "auto"
SNS: Final = "sns"
EVENTBRIDGE: Final = "eventbridge"
S3: Final = "s3"

Form = TypeVar("Form")


class Opened(msgspec.Struct, frozen=True):
    """What was in a message's envelope.

    Attributes:
        received: the message as SQS sent it, with the envelope's attributes beside its own.
        body: what the handler gets.
        envelope: what was unwrapped, from the outside, such as "sns" or "sns+s3"; None: nothing.
        result: how the message ends if it holds nothing that a handler could have.
        reason: why, in one line.
    """

    received: ReceivedMessage
    body: str
    envelope: str | None = None
    result: AttemptResult | None = None
    reason: str | None = None


def unwrap(envelope: str, received: ReceivedMessage) -> Opened:
    """Return what is in the message, for a value of ENVELOPE; never raises.

    A body that is not of the form that ENVELOPE names is invalid. A test event, which S3 sends when
    a notification is configured, counts as processed: there is nothing to do.
    """
    if received.damage:
        reason = f"damaged on its way: {received.damage}"
        return Opened(received, received.body, None, AttemptResult.FAILED, reason)
    if envelope == NONE:
        return Opened(received, received.body)
    try:
        if envelope == AUTO:
            contents = _open_nested(received.body)
        else:
            contents = READERS[envelope](received.body)
    except _OtherFormError as error:
        return Opened(received, received.body, None, AttemptResult.INVALID, str(error))
    except _EndedError as ended:
        return Opened(received, received.body, ended.envelope, ended.result, ended.reason)
    if contents is None:
        return Opened(received, received.body)
    return Opened(
        received=msgspec.structs.replace(
            received,
            attributes=contents.attributes | received.attributes,
            attribute_types=contents.types | received.attribute_types,
        ),
        body=contents.body,
        envelope=contents.envelope,
    )


class _OtherFormError(Exception):
    """A body of another form; the text says what it is not."""


class _EndedError(Exception):
    """An envelope of the right form without anything for a handler in it."""

    def __init__(self, envelope: str, result: AttemptResult, reason: str) -> None:
        """Say how the message ends, and why."""
        super().__init__(reason)
        self.envelope = envelope
        self.result = result
        self.reason = reason


class _Contents(msgspec.Struct, frozen=True):
    """What was in an envelope; `types` has the attributes' types that are not String or Binary."""

    envelope: str
    body: str
    attributes: dict[str, str | bytes] = {}
    types: dict[str, str] = {}


class _Attribute(msgspec.Struct, rename="pascal"):
    type: str
    value: str


class _Notification(msgspec.Struct, rename="pascal"):
    type: str
    message_id: str
    topic_arn: str
    message: str
    subject: str | None = None
    message_attributes: dict[str, _Attribute] = {}


class _Event(msgspec.Struct, rename="kebab"):
    version: str
    id: str
    detail_type: str
    source: str
    account: str
    time: str
    region: str
    detail: msgspec.Raw


class _Records(msgspec.Struct):
    records: list[msgspec.Raw] = msgspec.field(name="Records")


class _Record(msgspec.Struct, rename="camel"):
    event_source: str
    event_name: str
    s3: dict[str, Any]


class _TestEvent(msgspec.Struct, rename="pascal"):
    service: str
    event: str
    bucket: str


def _open_sns(body: str) -> _Contents:
    form = "a notification of SNS"
    notification = _decoded(body, _Notification, form)
    if notification.type.endswith("Confirmation"):
        raise _EndedError(
            SNS,
            AttemptResult.INVALID,
            f"a {notification.type} of SNS: confirm it at its SubscribeURL, no handler can",
        )
    if notification.type != "Notification":
        raise _OtherFormError(f"not {form}: Type is {notification.type[:40]!r}")
    attributes: dict[str, str | bytes] = {"TopicArn": notification.topic_arn}
    if notification.subject is not None:
        attributes["Subject"] = notification.subject
    types = {}
    for name, attribute in notification.message_attributes.items():
        attributes[name] = _value(name, attribute)
        if attribute.type not in {"String", "Binary"}:
            types[name] = attribute.type
    return _Contents(SNS, notification.message, attributes, types)


def _value(name: str, attribute: _Attribute) -> str | bytes:
    if attribute.type != "Binary":
        return attribute.value
    try:
        return b64decode(attribute.value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _EndedError(
            SNS,
            AttemptResult.INVALID,
            f"attribute {name[:100]!r} of a notification of SNS is not base64: {error}",
        ) from error


def _open_eventbridge(body: str) -> _Contents:
    event = _decoded(body, _Event, "an event of EventBridge")
    attributes: dict[str, str | bytes] = {
        "id": event.id,
        "detail-type": event.detail_type,
        "source": event.source,
        "time": event.time,
    }
    return _Contents(EVENTBRIDGE, bytes(event.detail).decode(), attributes)


def _open_s3(body: str) -> _Contents:
    form = "a notification of S3"
    if '"s3:TestEvent"' in body:
        test = _decoded(body, _TestEvent, form)
        if (test.service, test.event) == ("Amazon S3", "s3:TestEvent"):
            reason = f"a test event of S3's bucket {test.bucket[:100]}: nothing to handle"
            raise _EndedError(S3, AttemptResult.PROCESSED, reason)
    records = _decoded(body, _Records, form).records
    for record in records:
        source = _decoded(bytes(record), _Record, form).event_source
        if source != "aws:s3":
            raise _OtherFormError(f"not {form}: eventSource is {source[:40]!r}")
    if len(records) != 1:
        reason = f"a notification of S3 with {len(records)} records: a handler gets exactly one"
        raise _EndedError(S3, AttemptResult.INVALID, reason)
    return _Contents(S3, bytes(records[0]).decode())


READERS: Final[dict[str, Callable[[str], _Contents]]] = {
    SNS: _open_sns,
    EVENTBRIDGE: _open_eventbridge,
    S3: _open_s3,
}

_MARKS: Final = {SNS: '"TopicArn"', EVENTBRIDGE: '"detail-type"', S3: '"s3'}
"""A text that every body of the form contains; most other bodies are not decoded in vain."""


def _open_nested(body: str) -> _Contents | None:
    """Open what is recognised, in SNS's envelope one of the others, too; None: nothing is."""
    outer = _open_first(body, READERS)
    if outer is None or outer.envelope != SNS:
        return outer
    try:
        inner = _open_first(outer.body, (EVENTBRIDGE, S3))
    except _EndedError as ended:
        raise _EndedError(f"{SNS}+{ended.envelope}", ended.result, ended.reason) from ended
    if inner is None:
        return outer
    return _Contents(
        envelope=f"{SNS}+{inner.envelope}",
        body=inner.body,
        attributes=inner.attributes | outer.attributes,
        types=outer.types,
    )


def _open_first(body: str, envelopes: Iterable[str]) -> _Contents | None:
    for envelope in envelopes:
        if _MARKS[envelope] in body:
            try:
                return READERS[envelope](body)
            except _OtherFormError:
                continue
    return None


def _decoded(body: str | bytes, form: type[Form], name: str) -> Form:
    try:
        return msgspec.json.decode(body, type=form)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _OtherFormError(f"not {name}: {error}") from error
