"""Tests of the SQS adapter: its calls against moto, its errors against prepared answers.

The module is over 280 lines because its calls and its errors share the settings of boto3.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    ReadTimeoutError,
)
from botocore.stub import Stubber
from moto import mock_aws

from shared.errors import QueueError, QueueRefusedError, QueueUnavailableError
from shared.queue import OutgoingEntry, Refusal, SqsQueue
from shared.queue_connection import connect
from shared.queue_errors import translated
from shared.queue_names import is_queue_url
from shared.sqs.answers import md5_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_sqs import SQSClient

pytestmark = pytest.mark.impure  # every test builds AWS clients, which takes long

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"


@pytest.fixture(autouse=True)
def aws_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give boto3 test credentials and a region, and no access to a real account."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it would keep credentials it found
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


@pytest.fixture
def queue() -> Iterator[SqsQueue]:
    """Provide a queue in moto, connected by its name."""
    with mock_aws():
        client = boto3.client("sqs", region_name="eu-west-1")
        client.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "30"})
        yield connect("", "orders")
        client.close()


@contextmanager
def stubbed() -> Iterator[tuple[SqsQueue, Stubber]]:
    """Provide a queue whose client gives prepared answers, checked against SQS's own model."""
    client: SQSClient = boto3.client(
        "sqs", region_name="eu-west-1", config=Config(retries={"total_max_attempts": 1})
    )
    with Stubber(client) as stubber:
        yield SqsQueue(client, URL), stubber
    client.close()


def test_sent_bodies_are_received_with_what_sqs_knows_about_them(queue: SqsQueue) -> None:
    """Received messages have the ids, bodies, receive counts and times that SQS reports."""
    bodies = [f'{{"make":"Škoda","number":{number}}}' for number in range(10)]

    result = queue.send(bodies)
    received = queue.receive(limit=10, wait_seconds=0, visibility_seconds=30)

    assert result.refused == ()
    assert sorted(result.sent) == list(range(10))
    assert {message.message_id: message.body for message in received} == {
        result.sent[place]: body for place, body in enumerate(bodies)
    }
    assert {message.receive_count for message in received} == {1}
    assert all(message.sent_at > 1_700_000_000 for message in received)


def test_a_message_keeps_what_was_sent_with_its_body(queue: SqsQueue) -> None:
    """Attributes of every type and the group arrive; what was sent as a body alone has none."""
    attributes: dict[str, str | bytes] = {"type": "order", "amount": "4.20", "key": b"\x00\xff"}
    sent = OutgoingEntry(
        "one", attributes, attribute_types={"amount": "Number.eur"}, group_id="tenant-1"
    )
    assert queue.send([sent, "two"]).refused == ()

    received = queue.receive(limit=10, wait_seconds=0, visibility_seconds=30)

    one, two = sorted(received, key=lambda message: message.body)
    assert one.attributes == attributes
    assert one.attribute_types == {"amount": "Number.eur"}
    assert one.system["ApproximateFirstReceiveTimestamp"].isdecimal()
    assert one.group_id == "tenant-1"
    assert (two.attributes, two.attribute_types, two.group_id) == ({}, {}, None)


def test_a_fifo_queue_takes_group_and_deduplication_ids() -> None:
    """The second message with the same deduplication id is accepted and not delivered."""
    with mock_aws():
        client = boto3.client("sqs", region_name="eu-west-1")
        client.create_queue(QueueName="orders.fifo", Attributes={"FifoQueue": "true"})
        queue = connect("", "orders.fifo")
        entry = OutgoingEntry("one", group_id="VH1", deduplication_id="line-1")
        assert len(queue.send([entry, entry]).sent) == 2

        (received,) = queue.receive(limit=10, wait_seconds=0, visibility_seconds=30)
        client.close()

    assert received.group_id == "VH1"
    assert received.system["MessageDeduplicationId"] == "line-1"
    assert received.system["SequenceNumber"].isdecimal()


def test_a_receive_from_a_fifo_queue_whose_answer_was_lost_is_repeated() -> None:
    """Else the message groups in the lost answer would be blocked for the visibility timeout."""
    client: SQSClient = boto3.client(
        "sqs", region_name="eu-west-1", config=Config(retries={"total_max_attempts": 1})
    )
    ids: list[str | None] = []
    client.meta.events.register(
        "before-parameter-build.sqs.ReceiveMessage",
        lambda params, **_: ids.append(params.get("ReceiveRequestAttemptId")),
    )
    with Stubber(client) as stubber:
        stubber.add_client_error("receive_message", "InternalError", http_status_code=500)
        stubber.add_response("receive_message", {})
        stubber.add_response("receive_message", {})
        stubber.add_response("receive_message", {})
        fifo = SqsQueue(client, f"{URL}.fifo")
        with pytest.raises(QueueUnavailableError):
            fifo.receive(10, 20, 120)
        fifo.receive(10, 20, 120)
        fifo.receive(10, 20, 120)
        SqsQueue(client, URL).receive(10, 20, 120)
    client.close()
    assert ids[0] == ids[1] != ids[2]
    assert ids[3] is None


def test_a_deleted_message_never_comes_back(queue: SqsQueue) -> None:
    """`delete` takes up to ten receipts."""
    queue.send(["one", "two"])
    received = queue.receive(limit=10, wait_seconds=0, visibility_seconds=30)

    assert queue.delete([message.receipt for message in received]) == ()
    assert queue.receive(limit=10, wait_seconds=0, visibility_seconds=0) == []


def test_another_queue_of_the_same_account_needs_no_other_client(queue: SqsQueue) -> None:
    """Dead letters are sent with the same connections."""
    client = boto3.client("sqs", region_name="eu-west-1")
    other = queue.beside(client.create_queue(QueueName="dead")["QueueUrl"])
    client.close()
    other.send(["one"])

    assert queue.receive(limit=1, wait_seconds=0, visibility_seconds=0) == []
    assert len(other.receive(limit=1, wait_seconds=0, visibility_seconds=0)) == 1


def test_a_message_made_visible_comes_back_at_once(queue: SqsQueue) -> None:
    """A message made visible is received again with a higher count."""
    queue.send(["one"])
    (first,) = queue.receive(limit=1, wait_seconds=0, visibility_seconds=30)

    assert queue.change_visibility([(first.receipt, 0)]) == ()
    (second,) = queue.receive(limit=1, wait_seconds=0, visibility_seconds=30)

    assert second.message_id == first.message_id
    assert second.receive_count == 2


def test_an_empty_queue_gives_no_messages(queue: SqsQueue) -> None:
    """An empty queue gives an empty list, not an error."""
    assert queue.receive(limit=10, wait_seconds=0, visibility_seconds=30) == []


def test_a_queue_that_does_not_exist_is_refused_by_name() -> None:
    """The error names the queue and says what to check."""
    with mock_aws(), pytest.raises(QueueRefusedError, match="queue nowhere does not exist: check"):
        connect("", "nowhere")


def test_a_url_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a URL `connect` sends no request."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    assert connect(URL, "").url == URL


@pytest.mark.parametrize(
    ("variable", "region"),
    [("AWS_REGION", "eu-north-1"), ("AWS_DEFAULT_REGION", "eu-south-1")],
)
def test_the_region_comes_from_either_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, region: str
) -> None:
    """Both AWS_REGION and AWS_DEFAULT_REGION work."""
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv(variable, region)

    assert connect(URL, "")._client.meta.region_name == region


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        pytest.param(["AWS_REGION"], "no AWS region: set AWS_REGION", id="no region"),
        pytest.param(
            ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
            "no AWS credentials found: set AWS_PROFILE",
            id="no credentials",
        ),
        pytest.param(["AWS_SECRET_ACCESS_KEY"], "no AWS credentials found", id="half of them"),
    ],
)
def test_a_missing_setting_is_refused_with_its_name(
    monkeypatch: pytest.MonkeyPatch, variables: list[str], text: str
) -> None:
    """The error names the variable to set, and nothing is sent."""
    for variable in variables:
        monkeypatch.delenv(variable)

    with pytest.raises(QueueRefusedError, match=text):
        connect("", "orders")


@pytest.mark.impure
def test_nobody_at_the_endpoint_is_a_queue_that_may_come_back() -> None:
    """A closed port raises QueueUnavailableError."""
    client = boto3.client(
        "sqs",
        region_name="eu-west-1",
        endpoint_url="http://127.0.0.1:9",
        config=Config(retries={"total_max_attempts": 1}),
    )

    with pytest.raises(QueueUnavailableError, match="no answer from the endpoint"):
        SqsQueue(client, URL).send(["one"])


@pytest.mark.parametrize(
    ("url", "valid"),
    [
        (URL, True),
        ("http://127.0.0.1:4566/000000000000/orders", True),
        ("http://localhost:4566", False),
        ("http://localhost:4566/", False),
        ("ftp://host/orders", False),
        ("orders", False),
        ("", False),
        ("http://[half", False),
    ],
)
def test_a_queue_url_is_recognised_by_its_form(url: str, valid: bool) -> None:  # noqa: FBT001 - a table
    """A text that is no queue URL is refused before any request."""
    assert is_queue_url(url) is valid
    if url and not valid:
        with pytest.raises(QueueRefusedError, match="is not a queue URL: give one like"):
            connect(url, "")


def test_refused_entries_are_distinguished_from_sent_ones() -> None:
    """`retry` follows SQS's SenderFault."""
    with stubbed() as (queue, stubber):
        stubber.add_response(
            "send_message_batch",
            {
                "Successful": [{"Id": "1", "MessageId": "m-1", "MD5OfMessageBody": md5_of("b")}],
                "Failed": [
                    {"Id": "0", "SenderFault": False, "Code": "InternalError", "Message": "Oops"},
                    {"Id": "2", "SenderFault": True, "Code": "InvalidParameterValue"},
                ],
            },
        )
        result = queue.send(["a", "b", "c"])

    assert result.sent == {1: "m-1"}
    assert result.refused == (
        Refusal(0, "InternalError", "Oops", retry=True),
        Refusal(2, "InvalidParameterValue", "", retry=False),
    )


def test_a_trace_header_is_sent_and_received_in_its_own_place() -> None:
    """SQS counts the header of a trace as a system attribute, in both directions."""
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
    with stubbed() as (queue, stubber):
        header = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
        entry = {"Id": "0", "MessageBody": "one", "MessageSystemAttributes": header}
        sent = {"Id": "0", "MessageId": "m-1", "MD5OfMessageBody": md5_of("one")}
        expected = {"QueueUrl": URL, "Entries": [entry]}
        stubber.add_response("send_message_batch", {"Successful": [sent], "Failed": []}, expected)
        system = {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1700000000000",
            "AWSTraceHeader": trace,
        }
        message = {"MessageId": "m-1", "ReceiptHandle": "r", "Body": "one", "Attributes": system}
        stubber.add_response("receive_message", {"Messages": [message]})

        queue.send([OutgoingEntry("one", trace_header=trace)])
        (received,) = queue.receive(limit=1, wait_seconds=0, visibility_seconds=30)

    assert received.system["AWSTraceHeader"] == trace
    assert received.sent_at == 1_700_000_000


def test_entries_not_deleted_are_returned() -> None:
    """`delete` returns the entries that were not deleted."""
    failed = {"Id": "1", "SenderFault": True, "Code": "ReceiptHandleIsInvalid", "Message": "Gone"}
    expected = (Refusal(1, "ReceiptHandleIsInvalid", "Gone", retry=False),)
    with stubbed() as (queue, stubber):
        answer: Any = {"Successful": [{"Id": "0"}], "Failed": [failed]}
        stubber.add_response("delete_message_batch", answer)
        stubber.add_response("change_message_visibility_batch", answer)

        assert queue.delete(["r-0", "r-1"]) == expected
        assert queue.change_visibility([("r-0", 0), ("r-1", 0)]) == expected


@pytest.mark.parametrize(
    ("code", "status", "error", "text"),
    [
        ("RequestThrottled", 403, QueueUnavailableError, "try later: RequestThrottled"),
        ("ThrottlingException", 400, QueueUnavailableError, "try later"),
        ("KmsThrottled", 400, QueueUnavailableError, "try later"),
        ("KMS.ThrottlingException", 400, QueueUnavailableError, "try later"),
        ("OverLimit", 403, QueueUnavailableError, "try later"),
        ("InternalFailure", 500, QueueUnavailableError, "try later"),
        ("Whatever", 503, QueueUnavailableError, "try later"),
        ("AWS.SimpleQueueService.NonExistentQueue", 400, QueueRefusedError, "does not exist"),
        ("QueueDoesNotExist", 400, QueueRefusedError, "does not exist"),
        ("InvalidClientTokenId", 403, QueueRefusedError, "does not accept these credentials"),
        ("ExpiredToken", 403, QueueUnavailableError, "does not accept these credentials"),
        ("SignatureDoesNotMatch", 403, QueueRefusedError, "does not accept these credentials"),
        ("AccessDenied", 403, QueueRefusedError, f"not allowed on queue {URL}: said so"),
        ("InvalidAddress", 404, QueueRefusedError, "SQS refused the call on queue"),
    ],
)
def test_answers_of_sqs_become_our_errors(
    code: str, status: int, error: type[QueueError], text: str
) -> None:
    """SQS's error codes become errors by whether the same call may succeed later."""
    with stubbed() as (queue, stubber):
        stubber.add_client_error("send_message_batch", code, "said so", status)

        with pytest.raises(error, match=text):
            queue.send(["one"])


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("receive_message", lambda queue: queue.receive(10, 20, 30)),
        ("delete_message_batch", lambda queue: queue.delete(["r"])),
        ("change_message_visibility_batch", lambda queue: queue.change_visibility([("r", 0)])),
    ],
)
def test_every_call_translates_its_errors(
    operation: str, call: Callable[[SqsQueue], object]
) -> None:
    """Each call of the adapter raises our own errors only."""
    with stubbed() as (queue, stubber):
        stubber.add_client_error(operation, "RequestThrottled", http_status_code=403)

        with pytest.raises(QueueUnavailableError):
            call(queue)


@pytest.mark.parametrize(
    ("raised", "error"),
    [
        pytest.param(
            EndpointConnectionError(endpoint_url="http://x"), QueueUnavailableError, id="refused"
        ),
        pytest.param(
            ConnectTimeoutError(endpoint_url="http://x"), QueueUnavailableError, id="no connection"
        ),
        pytest.param(
            ReadTimeoutError(endpoint_url="http://x"), QueueUnavailableError, id="no answer"
        ),
        pytest.param(NoCredentialsError(), QueueRefusedError, id="no credentials"),
        pytest.param(NoRegionError(), QueueRefusedError, id="no region"),
        pytest.param(ProfileNotFound(profile="x"), QueueRefusedError, id="no such profile"),
        pytest.param(ValueError("Invalid endpoint: x"), QueueRefusedError, id="no endpoint"),
    ],
)
def test_errors_on_the_way_become_ours(raised: Exception, error: type[QueueError]) -> None:
    """Errors before SQS is reached become errors in the same way."""
    with pytest.raises(error), translated("orders"):
        raise raised
