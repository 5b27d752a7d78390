"""SQS adapter: a queue with a few calls in batches, which raise our own errors."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shared.attributes import encoded, special_types, values
from shared.errors import BatchRefusedError
from shared.queue_names import is_fifo
from shared.sqs.answers import damage
from shared.sqs.attempt_ids import AttemptIds
from shared.sqs.calls import Calls
from shared.sqs.wrong_answers import may_succeed_later

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import MessageSystemAttributeNameType
    from mypy_boto3_sqs.type_defs import (
        ChangeMessageVisibilityBatchRequestEntryTypeDef,
        DeleteMessageBatchRequestEntryTypeDef,
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

UNNAMED: Final = "SQS's answer does not name it"


class ReceivedMessage(msgspec.Struct, frozen=True, gc=False):
    """A message as received: `sent_at` in epoch seconds, `receive_count` with this receive.

    `attributes` are the sender's, binary ones as bytes. `attribute_types` has the data types of
    those that are more than String or Binary, such as Number, and `system` is what SQS itself says.
    `damage` says in what it differs from what was sent, if it was damaged on the way.
    """

    message_id: str
    receipt: str
    body: str
    receive_count: int
    sent_at: float
    attributes: dict[str, str | bytes] = {}
    attribute_types: dict[str, str] = {}
    system: dict[str, str] = {}
    damage: str = ""

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
    """One entry of a batch that SQS refused or did not name: `index` is its place in the batch.

    `retry` is True if the same entry may succeed later, `answer_lost` if SQS may have done already
    what it was asked for.
    """

    index: int
    code: str
    reason: str
    retry: bool
    answer_lost: bool = False

    @property
    def text(self) -> str:
        """Return code and reason, for people."""
        return f"{self.code} {self.reason}".strip()


@dataclass(frozen=True, slots=True)
class SendBatchResult:
    """Result of sending a batch: ids by place in the batch, and the refusals of the others."""

    sent: dict[int, str]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class _BatchAnswer:
    """An answer to a batch: what SQS says of each entry that it has done, and the refusals."""

    done: dict[int, Mapping[str, Any]]
    refused: tuple[Refusal, ...]


class SqsQueue:
    """One SQS queue; every call is one request for up to ten messages.

    A call raises QueueUnavailableError if it may succeed later, QueueRefusedError if it will not.
    A batch that SQS refuses for what is in it is a refusal of each of its entries.
    """

    def __init__(self, client: SQSClient, url: str, calls: Calls | None = None) -> None:
        """Use this client (thread-safe) for the queue at this URL; by default, without retries."""
        self._client = client
        self._calls = calls or Calls()
        self._attempts = AttemptIds(str(uuid.uuid4()))
        self.url = url
        self.fifo = is_fifo(url)

    def beside(self, url: str) -> SqsQueue:
        """Return another queue of the same client."""
        return SqsQueue(self._client, url, self._calls)

    def afresh(self, seconds: float) -> SqsQueue:
        """Return this queue over new connections: each call is one attempt of so many seconds."""
        self._client.close()  # the idle ones; they may lead nowhere by now
        return SqsQueue(self._client, self.url, Calls(1, seconds))

    def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
        """Send up to ten messages in one request; a str is one that is nothing but its body."""
        entries = [_entry(index, message) for index, message in enumerate(messages)]
        answer = self._batch(
            len(messages),
            lambda: self._client.send_message_batch(QueueUrl=self.url, Entries=entries),
        )
        sent, damaged = {}, []
        for index, done in answer.done.items():
            entry = entries[index]
            if reason := damage(done, entry["MessageBody"], entry.get("MessageAttributes", {})):
                damaged.append(Refusal(index, "", reason, retry=True, answer_lost=True))
            else:
                sent[index] = done["MessageId"]
        return SendBatchResult(sent, _in_order([*answer.refused, *damaged]))

    def receive(
        self, limit: int, wait_seconds: int, visibility_seconds: int
    ) -> list[ReceivedMessage]:
        """Receive up to `limit` (1 to 10) messages, waiting for the first up to `wait_seconds`."""
        request: ReceiveMessageRequestTypeDef = {
            "QueueUrl": self.url,
            "MaxNumberOfMessages": limit,
            "VisibilityTimeout": visibility_seconds,
            "MessageSystemAttributeNames": SYSTEM_ATTRIBUTES,
            "MessageAttributeNames": ["All"],
        }
        if self.fifo:
            request["ReceiveRequestAttemptId"] = self._attempts.begin(limit, time.monotonic())

        def call(wait: int) -> Any:  # noqa: ANN401 - shared.sqs.answers has checked it
            request["WaitTimeSeconds"] = wait
            return self._client.receive_message(**request)

        answer = self._calls.make_waiting(self.url, call, wait_seconds)
        self._attempts.answered()
        return [_received(message) for message in answer.get("Messages", [])]

    def delete(self, receipts: Sequence[str]) -> tuple[Refusal, ...]:
        """Delete up to ten messages in one request; return those that SQS did not confirm."""
        entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
            {"Id": str(index), "ReceiptHandle": receipt} for index, receipt in enumerate(receipts)
        ]
        return self._batch(
            len(receipts),
            lambda: self._client.delete_message_batch(QueueUrl=self.url, Entries=entries),
        ).refused

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
        """Set, for up to ten receipts, in how many seconds the message becomes visible again.

        Returns those that SQS did not confirm.
        """
        entries: list[ChangeMessageVisibilityBatchRequestEntryTypeDef] = [
            {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
            for index, (receipt, seconds) in enumerate(changes)
        ]
        return self._batch(
            len(changes),
            lambda: self._client.change_message_visibility_batch(
                QueueUrl=self.url, Entries=entries
            ),
        ).refused

    def _batch(self, size: int, call: Callable[[], Any]) -> _BatchAnswer:
        try:
            answer = self._calls.make(self.url, call)
        except BatchRefusedError as error:
            refused = [Refusal(index, "", str(error), retry=False) for index in range(size)]
            return _BatchAnswer({}, tuple(refused))
        return _read_batch(size, answer)


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
        damage=damage(message, message["Body"], attributes),
    )


def _read_batch(size: int, answer: Mapping[str, Any]) -> _BatchAnswer:
    """Return what the answer says of each entry; one that it does not name counts as not done."""
    places = {str(index): index for index in range(size)}
    refused = {
        places[entry["Id"]]: Refusal(
            index=places[entry["Id"]],
            code=entry["Code"],
            reason=entry.get("Message") or "",
            retry=may_succeed_later(entry["Code"], sender_fault=entry["SenderFault"]),
        )
        for entry in answer.get("Failed") or []
        if entry["Id"] in places
    }
    done = {
        places[entry["Id"]]: entry
        for entry in answer.get("Successful") or []
        if entry["Id"] in places and places[entry["Id"]] not in refused
    }
    unnamed = [
        Refusal(index, "", UNNAMED, retry=True, answer_lost=True)
        for index in range(size)
        if index not in refused and index not in done
    ]
    return _BatchAnswer(done, _in_order([*refused.values(), *unnamed]))


def _in_order(refusals: Sequence[Refusal]) -> tuple[Refusal, ...]:
    return tuple(sorted(refusals, key=lambda refusal: refusal.index))
