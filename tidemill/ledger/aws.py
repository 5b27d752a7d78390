"""AWS as the ledger reads it: what is in a queue, and the lines of a log group."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from consumer.messages.dead_letters import MESSAGE_ID
from shared.body_digest import body_digest
from shared.quotas import MAX_BATCH
from shared.region import chosen_region
from tidemill.aws_errors import why_no_call_succeeds
from tidemill.ledger.errors import LedgerError
from tidemill.ledger.lines import WorkerRecord
from tidemill.ledger.queues import QueueLook, Queues

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageTypeDef

COUNTS: Final[tuple[QueueAttributeNameType, ...]] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
"""Visible, in flight, delayed."""

PAUSE_SECONDS: Final = 2.0
"""Between two looks at the counts of a queue."""

HELD_SECONDS: Final = 60
"""For so long a look hides a message, should it be killed before it makes it visible again."""


class AwsRecords:
    """What AWS, or an emulator of it, knows of a run; every error of a call is a LedgerError."""

    def __init__(self, endpoint: str | None) -> None:
        """Use the credentials and the region that the AWS tools find."""
        with _translated():
            session = boto3.Session(region_name=chosen_region())
            self._sqs: SQSClient = session.client("sqs", endpoint_url=endpoint)
            self._logs: CloudWatchLogsClient = session.client("logs", endpoint_url=endpoint)

    def wait_until_empty(self, url: str, seconds: float, pause: Callable[[float], None]) -> None:
        """Wait until the queue holds no message, in flight or not, but no longer than this."""
        left = seconds
        with _translated():
            while left > 0 and any(counts(self._sqs, url)):
                pause(min(PAUSE_SECONDS, left))
                left -= PAUSE_SECONDS

    def queues(self, url: str, *, inside: bool) -> Queues:
        """Return what is in a work queue and its dead-letter queue.

        The dead-letter queue is always looked into: a receive has no consequence there.
        """
        with _translated():
            dead = dead_letter_url(self._sqs, url)
            return Queues(
                look_at(self._sqs, url, inside=inside), look_at(self._sqs, dead, inside=True)
            )

    def lines(self, group: str, since: float) -> WorkerRecord:
        """Return what the workers' lines in a log group say, since this moment (epoch seconds)."""
        record = WorkerRecord()
        with _translated():
            pages = self._logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=int(since * 1000)
            )
            for page in pages:
                for event in page["events"]:
                    record.add(event["logStreamName"], event["message"].encode())
        return record


def dead_letter_url(sqs: SQSClient, url: str) -> str | None:
    """Return the URL of a queue's dead-letter queue, None if it has none."""
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    policy = answer.get("Attributes", {}).get("RedrivePolicy")
    if policy is None:
        return None
    arn: str = json.loads(policy)["deadLetterTargetArn"]
    return sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]


def counts(sqs: SQSClient, url: str) -> list[int]:
    """Return how many messages of a queue are visible, in flight and delayed."""
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=COUNTS)
    found: dict[str, str] = dict(answer["Attributes"].items())
    return [int(found[name]) for name in COUNTS]


def look_at(sqs: SQSClient, url: str | None, *, inside: bool) -> QueueLook:
    """Return what is in a queue.

    SQS has no way to see messages without receiving them. A look inside receives each of them, and
    makes it visible again at once; that is a receive which counts towards maxReceiveCount. A
    queue that is empty is not received from.

    Args:
        sqs: a client.
        url: the queue's URL; without one there is nothing.
        inside: whether to receive; otherwise all messages are hidden ones.
    """
    number = sum(counts(sqs, url)) if url is not None else 0
    if url is None or not number:
        return QueueLook()
    received = _receive_all(sqs, url) if inside else {}
    seen = {_original_id(one): body_digest(one["Body"]) for one in received.values()}
    return QueueLook(seen, max(0, number - len(received)))


def _receive_all(sqs: SQSClient, url: str) -> dict[str, MessageTypeDef]:
    """Return all messages by their own id; several may be copies of one rejected message."""
    found: dict[str, MessageTypeDef] = {}
    receipts: list[str] = []
    while messages := sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=MAX_BATCH,
        VisibilityTimeout=HELD_SECONDS,
        WaitTimeSeconds=1,  # of all servers: a short poll may leave messages out
        MessageAttributeNames=[MESSAGE_ID],
    ).get("Messages"):
        found |= {message["MessageId"]: message for message in messages}
        receipts += [message["ReceiptHandle"] for message in messages]
    for start in range(0, len(receipts), MAX_BATCH):
        sqs.change_message_visibility_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(receipts[start : start + MAX_BATCH])
            ],
        )
    return found


def _original_id(message: MessageTypeDef) -> str:
    found = message.get("MessageAttributes", {}).get(MESSAGE_ID)
    return found["StringValue"] if found else message["MessageId"]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise LedgerError(why_no_call_succeeds(error) or str(error)) from error
