"""Tests of the shape and the MD5s of SQS's answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st
from support.emulators.wrong_server import a_message

from shared.errors import QueueError
from shared.queue import Refusal, SendBatchResult, SqsQueue
from shared.sqs.answers import check_answers, damage, md5_of, md5_of_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.impure  # it builds a client of AWS

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["0", "1", "m-1", "YQ==", md5_of("one")]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("Messages", "Successful", "Failed", "QueueUrl", "Id", "MessageId", "Body"),
                    *("ReceiptHandle", "MD5OfBody", "MD5OfMessageBody", "MD5OfMessageAttributes"),
                    *("Attributes", "MessageAttributes", "DataType", "StringValue", "BinaryValue"),
                    *("Code", "SenderFault", "Message", "message", "__type", "SentTimestamp"),
                    "ApproximateReceiveCount",
                ]
            )
            | st.text(max_size=3),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)
MUTATED = st.builds(
    lambda changes, entries: {
        "Messages": [a_message(**changes)],
        "Successful": entries,
        "Failed": entries,
    },
    st.dictionaries(
        st.sampled_from(["MessageId", "Body", "Attributes", "MessageAttributes", "MD5OfBody"]), JSON
    ),
    st.lists(st.dictionaries(st.sampled_from(["Id", "MessageId", "Code", "SenderFault"]), JSON)),
)
BODIES = st.binary() | st.text().map(str.encode) | (JSON | MUTATED).map(json.dumps).map(str.encode)


class _Raw:
    """A body as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


class Prepared:
    """A queue whose client gets an answer without a network."""

    def __init__(self) -> None:
        """Build the client."""
        self.status, self.body, self.headers = 200, b"", dict[str, str]()
        self.client = boto3.client(
            "sqs",
            region_name="eu-west-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - nobody checks it
            config=Config(retries={"total_max_attempts": 1}),
        )
        check_answers(self.client)
        answer: Any = self._answer  # the stubs know of no handler that gives an answer
        self.client.meta.events.register("before-send.sqs", answer)
        self.queue = SqsQueue(self.client, "https://sqs.eu-west-1.amazonaws.com/1/work")

    def _answer(self, **_: object) -> AWSResponse:
        return AWSResponse("https://x", self.status, self.headers, _Raw(self.body))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def prepared() -> Iterator[Prepared]:
    """Provide one client for all examples."""
    made = Prepared()
    yield made
    made.client.close()


@given(st.sampled_from([200, 204, 300, 301, 400, 403, 404, 500, 503]), BODIES)
def test_whatever_is_answered_nothing_but_our_errors_comes(
    prepared: Prepared, status: int, body: bytes
) -> None:
    """Every answer gives messages, refusals, or an error that callers know; never a success."""
    prepared.status, prepared.body = status, body
    try:
        received = prepared.queue.receive(10, 0, 30)
    except QueueError:
        pass
    else:
        assert status == 200
        assert all(isinstance(one.receive_count, int) and one.receipt for one in received)
        assert isinstance(json.loads(body), dict)
    for call in (
        lambda: prepared.queue.send(["one", "two"]),
        lambda: prepared.queue.delete(["r-1", "r-2"]),
        lambda: prepared.queue.change_visibility([("r-1", 0), ("r-2", 0)]),
    ):
        check_batch(call, body)


def check_batch(call: Any, body: bytes) -> None:  # noqa: ANN401 - of a send, or of the others
    """Make a call with two entries; those that are not refused are named in the answer."""
    try:
        answer: SendBatchResult | tuple[Refusal, ...] = call()
    except QueueError:
        return
    refused = answer.refused if isinstance(answer, SendBatchResult) else answer
    done = {0, 1} - {refusal.index for refusal in refused}
    if isinstance(answer, SendBatchResult):
        assert done == answer.sent.keys()
    if done:
        named = {entry["Id"] for entry in json.loads(body)["Successful"]}
        assert {str(index) for index in done} <= named


@pytest.mark.parametrize(
    ("attributes", "digest"),
    [
        # sqslite's test of its own reckoning
        (
            {
                "ordinal": {"DataType": "Number", "StringValue": "1"},
                "category": {"DataType": "String", "StringValue": "test"},
            },
            "d21ae90c49061e927f57df5f5d72be1f",
        ),
        # moto's test, of which the digest was recorded from SQS
        (
            {"SOME_Valid.attribute-Name": {"DataType": "Number", "StringValue": "1493147359900"}},
            "36655e7e9d7c0e8479fa3f3f42247ae7",
        ),
        (
            {"SellerName": {"DataType": "String", "StringValue": "Example Store"}},
            "cd28f3b68aeee4b2eac9c66f2f694b58",
        ),
    ],
)
def test_attributes_have_sqs_own_digest(attributes: dict[str, Any], digest: str) -> None:
    """Other implementations reckon the same."""
    assert md5_of_attributes(attributes) == digest


def test_binary_and_text_attributes_differ() -> None:
    """The kind of value is part of the digest, as its type is."""
    binary = {"a": {"DataType": "Binary", "BinaryValue": b"x"}}
    text = {"a": {"DataType": "String", "StringValue": "x"}}
    assert md5_of_attributes(binary) != md5_of_attributes(text)


def test_what_has_no_digest_is_believed() -> None:
    """Other servers than SQS leave one out, or give an empty one."""
    assert damage({}, "body", {}) == ""
    assert damage({"MD5OfBody": "", "MD5OfMessageAttributes": None}, "body", {}) == ""


@given(st.text(), st.text())
def test_another_body_is_seen(body: str, other: str) -> None:
    """A body has its own digest, and no other one."""
    answered = {"MD5OfBody": md5_of(body)}
    assert (damage(answered, other, {}) == "") is (body == other)
