"""Tests of the shape and the MD5s of SQS's answers."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st
from support.emulators.wrong_server import a_message

from shared.errors import QueueError
from shared.queue import Refusal, SendBatchResult, SqsQueue
from shared.sqs.answers import check_answers, damage, md5_of, md5_of_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.impure  # it builds a client of AWS

NAMES: Final = (
    *("Messages", "Successful", "Failed", "QueueUrl", "Id", "MessageId", "Body", "ReceiptHandle"),
    *("MD5OfBody", "MD5OfMessageBody", "MD5OfMessageAttributes", "Attributes", "DataType", "x"),
    *("MessageAttributes", "StringValue", "BinaryValue", "Code", "SenderFault", "Message"),
    *("message", "__type", "SentTimestamp", "ApproximateReceiveCount"),
)
ATOMS: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 17, 1e308, 10**30, "", "0", "1", "text", "-5", "YQ==", "\u2028"),
    *(md5_of("one"), "\ud800", "KmsThrottled", [], {}, [[]], [{}], [None]),
)


def junk(rng: Random, depth: int = 3) -> Any:  # noqa: ANN401 - it is JSON of any kind
    """Return some JSON, in which names of SQS's answers occur."""
    kind = rng.randrange(4) if depth else 0
    if kind == 2:
        return [junk(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == 3:
        return {rng.choice(NAMES): junk(rng, depth - 1) for _ in range(rng.randrange(5))}
    return rng.choice(ATOMS)


def damaged(rng: Random, right: Any) -> Any:  # noqa: ANN401 - as above
    """Return an answer in which one place is something else."""
    if isinstance(right, dict) and right and rng.random() < 0.8:
        name = rng.choice([*right, rng.choice(NAMES)])
        return {**right, name: damaged(rng, right.get(name))}
    if isinstance(right, list) and right and rng.random() < 0.8:
        place = rng.randrange(len(right))
        return [*right[:place], damaged(rng, right[place]), *right[place + 1 :]]
    return junk(rng)


def body_of(rng: Random) -> bytes:
    """Return the body of an answer, of which most are nearly right."""
    done = [{"Id": "0", "MessageId": "m-0"}, {"Id": "1", "MessageId": "m-1"}]
    failed = {"Id": "1", "Code": "InternalError", "SenderFault": False, "Message": "no"}
    attributes = {"MessageAttributes": {"a": {"DataType": "Binary", "BinaryValue": "YQ=="}}}
    answer: Any = {
        "Messages": [a_message(), a_message(**attributes)],
        "Successful": done,
        "Failed": [failed],
        "__type": "x#OverLimit",
    }
    for _ in range(rng.randrange(4)):
        answer = damaged(rng, answer)
    body = json.dumps(answer).encode()
    match rng.randrange(8):
        case 0:
            return body[: rng.randrange(len(body) + 1)]
        case 1:
            place = rng.randrange(len(body) + 1)
            return body[:place] + rng.randbytes(3) + body[place:]
        case 2:
            return rng.randbytes(rng.randrange(40))
    return body


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


@settings(max_examples=40, deadline=None)  # four calls of botocore each
@given(
    st.sampled_from([200, 200, 200, 204, 300, 301, 400, 403, 404, 500, 503]),
    st.integers(0, 2**32),
)
def test_whatever_is_answered_nothing_but_our_errors_comes(
    prepared: Prepared, status: int, seed: int
) -> None:
    """Every answer gives messages, refusals, or an error that callers know; never a success."""
    body = body_of(Random(seed))  # noqa: S311 - repeatable, not secret
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
