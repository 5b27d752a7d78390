"""Target: answers of SQS, or of whatever else answers in its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from hypothesis import strategies as st
from support.fuzz.target import Target, told
from support.fuzz.texts import BYTES, ENCODABLE, VALUE, as_json, changed_bytes

from shared.errors import QueueError
from shared.queue import SqsQueue
from shared.sqs.answers import check_answers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

URL: Final = "https://sqs.eu-west-1.amazonaws.com/123456789012/q"


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]


def _good(entry: dict[str, Any]) -> str:
    message: dict[str, Any] = {
        "MessageId": "m-1",
        "ReceiptHandle": "r-1",
        "MD5OfBody": "0cc175b9c0f1b6a831c399e269772661",
        "Body": "a",
        "Attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1800000000000"},
    }
    batch: dict[str, Any] = {
        "Id": "0",
        "MessageId": "m-1",
        "MD5OfMessageBody": "0cc175b9c0f1b6a831c399e269772661",
    }
    failed: dict[str, Any] = {
        "Id": "1",
        "Code": "InternalError",
        "SenderFault": False,
        "Message": "",
    }
    return as_json(
        {"Messages": [message | entry], "Successful": [batch | entry], "Failed": [failed | entry]}
    )


_FIELDS: Final = (
    "MessageId",
    "ReceiptHandle",
    "MD5OfBody",
    "Body",
    "Attributes",
    "MessageAttributes",
    "MD5OfMessageAttributes",
    "Id",
    "Code",
    "SenderFault",
)
ANSWERS: Final = st.builds(
    _Answer,
    status=st.sampled_from([200, 200, 200, 200, 301, 400, 403, 408, 413, 429, 500, 503]),
    body=st.one_of(
        st.dictionaries(st.sampled_from(_FIELDS), VALUE, max_size=2).map(_good),
        st.dictionaries(
            st.sampled_from(["Messages", "Successful", "Failed", "__type", "message"]), VALUE
        ).map(as_json),
        VALUE.map(as_json),
    ).map(lambda text: text.encode(errors="replace"))
    | BYTES,
    headers=st.dictionaries(
        st.sampled_from(["x-amzn-query-error", "x-amz-crc32", "content-type", "location"]),
        ENCODABLE.map(lambda text: text.encode("latin-1", "replace").decode("latin-1")),
        max_size=2,
    ),
)


def _changed_answer(answer: _Answer, rng: Random) -> _Answer:
    return replace(answer, body=changed_bytes(answer.body, rng))


class _Raw(BytesIO):
    def stream(self, **_: object) -> list[bytes]:
        return [self.read()]


class _Stub:
    """A queue whose requests get the answer of the moment, without a network."""

    def __init__(self) -> None:
        self.answer = _Answer(200, b"{}", {})
        client = boto3.client(
            "sqs",
            region_name="eu-west-1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="secret",  # noqa: S106 - none at all
            config=Config(retries={"total_max_attempts": 1}),
        )
        client.meta.events.register_first("before-send.sqs", self._send)  # type: ignore[arg-type]  # it may answer
        check_answers(client)
        self.queue = SqsQueue(client, URL)

    def _send(self, **_: object) -> AWSResponse:
        found = self.answer
        return AWSResponse(
            URL, found.status, HTTPHeaders.from_dict(found.headers), _Raw(found.body)
        )


@cache
def _stub() -> _Stub:
    return _Stub()


def check_answer(given: _Answer) -> None:
    """Whatever SQS answers, a call gives values of the right types, or one of our errors."""
    stub = _stub()
    stub.answer = given
    for call in (_receive, _delete, _return, _send):
        try:
            call(stub.queue)
        except QueueError as error:
            told(error)


def _receive(queue: SqsQueue) -> None:
    for message in queue.receive(10, 0, 30):
        assert isinstance(message.body, str)
        assert isinstance(message.receipt, str)
        assert isinstance(message.receive_count, int)
        assert message.sent_at >= 0


def _delete(queue: SqsQueue) -> None:
    assert {refusal.index for refusal in queue.delete(["r-1", "r-2"])} <= {0, 1}


def _return(queue: SqsQueue) -> None:
    changes = [("r-1", 0), ("r-2", 3)]
    assert {refusal.index for refusal in queue.change_visibility(changes)} <= {0, 1}


def _send(queue: SqsQueue) -> None:
    result = queue.send(["a", "b"])
    assert {*result.sent, *(refusal.index for refusal in result.refused)} <= {0, 1}


TARGETS: Final = (Target("sqs-answers", ANSWERS, check_answer, _changed_answer),)
