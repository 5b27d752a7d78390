"""SQS adapter: a queue with a few calls in batches, which raise our own errors."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import boto3
import msgspec
from botocore.config import Config

from shared.attempt_ids import AttemptIds
from shared.attributes import encoded, special_types, values
from shared.errors import QueueRefusedError
from shared.queue_errors import translated
from shared.queue_names import is_fifo, is_queue_url
from shared.quotas import MAX_LONG_POLL
from shared.region import chosen_region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import MessageSystemAttributeNameType
    from mypy_boto3_sqs.type_defs import (
        MessageTypeDef,
        ReceiveMessageRequestTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

SYSTEM_ATTRIBUTES: Final[tuple[MessageSystemAttributeNameType, ...]] = (
    "ApproximateReceiveCount",
    "SentTimestamp",
    "ApproximateFirstReceiveTimestamp",
    "MessageGroupId",
    "MessageDeduplicationId",
    "SequenceNumber",
    "SenderId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
)
"""What a receive asks for; SQS leaves out what a message does not have (API, ReceiveMessage)."""


class ReceivedMessage(msgspec.Struct, frozen=True, gc=False):
    """A message as received: `sent_at` in epoch seconds, `receive_count` with this receive.

    `attributes` are the sender's, binary ones as bytes. `attribute_types` has the data types of
    those that are more than String or Binary, such as Number, and `system` is what SQS itself says.
    """

    message_id: str
    receipt: str
    body: str
    receive_count: int
    sent_at: float
    attributes: dict[str, str | bytes] = {}
    attribute_types: dict[str, str] = {}
    system: dict[str, str] = {}

    @property
    def group_id(self) -> str | None:
        """The message group: an order on FIFO queues, a tenant on standard ones."""
        return self.system.get("MessageGroupId")


class OutgoingEntry(msgspec.Struct, frozen=True, gc=False):
    """A message to send; `attribute_types` where it is not String for str and Binary for bytes.

    `deduplication_id` is for FIFO queues alone, `group_id` for fair queues, too.
    """

    body: str
    attributes: dict[str, str | bytes] = {}
    attribute_types: dict[str, str] = {}
    group_id: str | None = None
    deduplication_id: str | None = None
    trace_header: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """One entry of a batch that SQS refused: `index` is its place in the batch.

    `retry` is True when the fault is SQS's own (SenderFault is false): the same entry may succeed
    later.
    """

    index: int
    code: str
    reason: str
    retry: bool


@dataclass(frozen=True, slots=True)
class SendBatchResult:
    """Result of sending a batch: message ids by place in the batch, and the refusals."""

    sent: dict[int, str]
    refused: tuple[Refusal, ...]


class SqsQueue:
    """One SQS queue; every call is one request for up to ten messages."""

    def __init__(self, client: SQSClient, url: str) -> None:
        """Use this client (thread-safe) for the queue at this URL."""
        self._client = client
        self._attempts = AttemptIds(str(uuid.uuid4()))
        self.url = url
        self.fifo = is_fifo(url)

    def beside(self, url: str) -> SqsQueue:
        """Return another queue of the same client."""
        return SqsQueue(self._client, url)

    def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
        """Send up to ten messages in one request; a str is one that is nothing but its body.

        Raises:
            QueueUnavailableError: no answer, or SQS asked to slow down.
            QueueRefusedError: SQS refused the request as a whole.
        """
        with translated(self.url):
            answer = self._client.send_message_batch(
                QueueUrl=self.url,
                Entries=[_entry(index, message) for index, message in enumerate(messages)],
            )
        return SendBatchResult(
            {int(entry["Id"]): entry["MessageId"] for entry in answer.get("Successful", [])},
            _refusals(answer),
        )

    def receive(
        self, limit: int, wait_seconds: int, visibility_seconds: int
    ) -> list[ReceivedMessage]:
        """Receive up to `limit` (1 to 10) messages, waiting for the first up to `wait_seconds`.

        Raises:
            QueueUnavailableError: no answer, or SQS asked to slow down.
            QueueRefusedError: SQS refused the request.
        """
        request: ReceiveMessageRequestTypeDef = {
            "QueueUrl": self.url,
            "MaxNumberOfMessages": limit,
            "WaitTimeSeconds": wait_seconds,
            "VisibilityTimeout": visibility_seconds,
            "MessageSystemAttributeNames": SYSTEM_ATTRIBUTES,
            "MessageAttributeNames": ["All"],
        }
        if self.fifo:
            request["ReceiveRequestAttemptId"] = self._attempts.begin(limit, time.monotonic())
        with translated(self.url):
            answer = self._client.receive_message(**request)
        self._attempts.answered()
        return [_received(message) for message in answer.get("Messages", [])]

    def delete(self, receipts: Sequence[str]) -> tuple[Refusal, ...]:
        """Delete up to ten messages in one request; return the refusals.

        Raises:
            QueueUnavailableError: no answer, or SQS asked to slow down.
            QueueRefusedError: SQS refused the request as a whole.
        """
        with translated(self.url):
            answer = self._client.delete_message_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": receipt}
                    for index, receipt in enumerate(receipts)
                ],
            )
        return _refusals(answer)

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
        """Set, for up to ten receipts, in how many seconds the message becomes visible again.

        Raises:
            QueueUnavailableError: no answer, or SQS asked to slow down.
            QueueRefusedError: SQS refused the request as a whole.
        """
        with translated(self.url):
            answer = self._client.change_message_visibility_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                    for index, (receipt, seconds) in enumerate(changes)
                ],
            )
        return _refusals(answer)


def connect(
    url: str,
    name: str,
    connections: int = 10,
    *,
    attempts: int = 4,
    answer_seconds: int = MAX_LONG_POLL + 10,
) -> SqsQueue:
    """Create the client; if only the queue's name is given, ask SQS for its URL.

    boto3 finds credentials, region and endpoint itself: in AWS_ENDPOINT_URL and similar variables,
    in profiles, in the instance's role. `connections` is how many requests may run at once.
    botocore itself makes up to `attempts` of each call, and waits `answer_seconds` for an answer.

    Raises:
        QueueRefusedError: no such queue, no or bad credentials or region, not a URL.
        QueueUnavailableError: the endpoint does not answer.
    """
    if url and not is_queue_url(url):
        raise QueueRefusedError(
            f"{url!r} is not a queue URL: give one like "
            "https://sqs.eu-west-1.amazonaws.com/123456789012/name"
        )
    with translated(url or name):
        client = boto3.client(
            "sqs",
            region_name=chosen_region(),
            config=Config(
                connect_timeout=5,
                read_timeout=answer_seconds,
                max_pool_connections=connections,
                retries={"mode": "standard", "total_max_attempts": attempts},
            ),
        )
        return SqsQueue(client, url or client.get_queue_url(QueueName=name)["QueueUrl"])


def _entry(index: int, message: str | OutgoingEntry) -> SendMessageBatchRequestEntryTypeDef:
    if isinstance(message, str):
        return {"Id": str(index), "MessageBody": message}
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(index), "MessageBody": message.body}
    if message.attributes:
        entry["MessageAttributes"] = encoded(message.attributes, message.attribute_types)
    if message.group_id is not None:
        entry["MessageGroupId"] = message.group_id
    if message.deduplication_id is not None:
        entry["MessageDeduplicationId"] = message.deduplication_id
    if message.trace_header is not None:
        entry["MessageSystemAttributes"] = {
            "AWSTraceHeader": {"DataType": "String", "StringValue": message.trace_header}
        }
    return entry


def _received(message: MessageTypeDef) -> ReceivedMessage:
    system = message["Attributes"]
    attributes = message.get("MessageAttributes", {})
    return ReceivedMessage(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        receive_count=int(system["ApproximateReceiveCount"]),
        sent_at=int(system["SentTimestamp"]) / 1000,
        attributes=values(attributes),
        attribute_types=special_types(attributes),
        system={str(name): value for name, value in system.items()},
    )


def _refusals(answer: object) -> tuple[Refusal, ...]:
    failed = answer.get("Failed", []) if isinstance(answer, dict) else []
    return tuple(
        Refusal(
            index=int(entry["Id"]),
            code=entry["Code"],
            reason=entry.get("Message", ""),
            retry=not entry["SenderFault"],
        )
        for entry in failed
    )
