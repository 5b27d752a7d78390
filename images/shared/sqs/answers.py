"""Answers of SQS: whether one has SQS's shape, and whether its messages are what was sent.

botocore believes a lot: of an answer that is no JSON it makes an empty one, which for a receive
means an empty queue and for a delete that nothing was refused. It compares no MD5 either.
"""

from __future__ import annotations

import hashlib
import struct
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.client import BaseClient
    from botocore.model import OperationModel

Filled = Annotated[str, msgspec.Meta(min_length=1)]
Digits = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,15}$")]


class UnreadableAnswerError(Exception):
    """An answer that SQS does not give; the text says what is wrong with it."""


class _System(msgspec.Struct, rename="pascal"):
    approximate_receive_count: Digits
    sent_timestamp: Digits


class _Attribute(msgspec.Struct, rename="pascal"):
    data_type: str
    string_value: str | None = None
    binary_value: bytes | None = None


class _Message(msgspec.Struct, rename="pascal"):
    message_id: Filled
    receipt_handle: Filled
    body: str
    attributes: _System
    message_attributes: dict[str, _Attribute] | None = None


class _Messages(msgspec.Struct, rename="pascal"):
    messages: list[_Message] | None = None


class _Done(msgspec.Struct, rename="pascal"):
    id: str


class _Sent(msgspec.Struct, rename="pascal"):
    id: str
    message_id: Filled


class _Refused(msgspec.Struct, rename="pascal"):
    id: str
    code: str
    sender_fault: bool
    message: str | None = None


class _AllDone(msgspec.Struct, rename="pascal"):
    successful: list[_Done] | None = None
    failed: list[_Refused] | None = None


class _AllSent(msgspec.Struct, rename="pascal"):
    successful: list[_Sent] | None = None
    failed: list[_Refused] | None = None


class _Url(msgspec.Struct, rename="pascal"):
    queue_url: Filled


class _QueueAttributes(msgspec.Struct, rename="pascal"):
    attributes: dict[str, str] | None = None


class _Sources(msgspec.Struct, rename="camel"):
    queue_urls: list[str] | None = None


class _Error(msgspec.Struct):
    type: str = msgspec.field(name="__type")
    message: str | None = None
    capital: str | None = msgspec.field(name="Message", default=None)


_SHAPES: Final[Mapping[str, type[msgspec.Struct]]] = {
    "ReceiveMessage": _Messages,
    "SendMessageBatch": _AllSent,
    "DeleteMessageBatch": _AllDone,
    "ChangeMessageVisibilityBatch": _AllDone,
    "GetQueueUrl": _Url,
    "GetQueueAttributes": _QueueAttributes,
    "ListDeadLetterSourceQueues": _Sources,
}


def check_answers(client: BaseClient) -> None:
    """Let this client raise UnreadableAnswerError for an answer that does not have SQS's shape."""
    client.meta.events.register("before-parse.sqs", _check)


def _check(
    operation_model: OperationModel,
    response_dict: dict[str, Any],
    **_: object,
) -> None:
    status, body = response_dict["status_code"], response_dict["body"]
    if status < HTTPStatus.MOVED_PERMANENTLY:  # from there on botocore reads it as an error
        shape = _SHAPES[operation_model.name]
        if problem := f"HTTP {status}" if status != HTTPStatus.OK else _problem(shape, body):
            raise UnreadableAnswerError(problem)
    elif _problem(_Error, body):
        response_dict["body"] = msgspec.json.encode(
            {"__type": f"HTTP {status}", "message": _phrase(status)}
        )


def _problem(shape: type[msgspec.Struct], body: bytes) -> str:
    """Return why a body does not have its shape, "" if it does."""
    if not body:
        return "it is empty"
    try:
        # All of it is decoded first, as botocore will do: what is not JSON in a field that nobody
        # reads would otherwise go unseen here, and make an empty answer there.
        msgspec.convert(msgspec.json.decode(body.decode()), shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return f"{error}, in {body[:60]!r}"
    return ""


def _phrase(status: int) -> str:
    try:
        return f"{HTTPStatus(status).phrase}, not from SQS"
    except ValueError:
        return "not from SQS"


def md5_of(body: str) -> str:
    """Return the MD5 of a body as SQS reckons it."""
    return hashlib.md5(body.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the MD5 of attributes in SQS's form.

    "Calculating the MD5 message digest for message attributes" in the SQS developer guide: names
    in order, and for each of name, data type and value its length and its bytes.
    """
    whole = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        binary = attribute["DataType"].startswith("Binary")
        value = attribute.get("BinaryValue", b"") if binary else attribute.get("StringValue", "")
        whole.update(_counted(name) + _counted(attribute["DataType"]))
        whole.update((b"\x02" if binary else b"\x01") + _counted(value))
    return whole.hexdigest()


def damage(answered: Mapping[str, Any], body: str, attributes: Mapping[str, Any]) -> str:
    """Return what differs from the MD5s of SQS's answer, for people; "" if nothing does.

    The answer is that to a receive, or the entry of a message that was sent. What it has no MD5 of
    is believed: other servers than SQS leave one out.
    """
    given = answered.get("MD5OfBody", answered.get("MD5OfMessageBody"))
    if given and given != md5_of(body):
        return "its body differs from the MD5 that SQS gives"
    given = answered.get("MD5OfMessageAttributes")
    if given and given != md5_of_attributes(attributes):
        return "its attributes differ from the MD5 that SQS gives"
    return ""


def _counted(value: str | bytes) -> bytes:
    data = value.encode(errors="surrogatepass") if isinstance(value, str) else value
    return struct.pack("!I", len(data)) + data
