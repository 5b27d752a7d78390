"""The SQS queue behind a few calls in batches, with SQS's errors told in our own."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.quotas import MAX_LONG_POLL
from shared.region import chosen_region

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_sqs import SQSClient

THROTTLING: Final = frozenset(
    {
        "KMS.ThrottlingException",  # KmsThrottled, by the code that SDKs get (awsQueryError)
        "KmsThrottled",
        "OverLimit",
        "RequestThrottled",
        "RequestThrottledException",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
    }
)
CREDENTIALS: Final = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
ABSENT: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})


@dataclass(frozen=True, slots=True)
class Received:
    """A message in hand: `sent_at` is in epoch seconds, `receive_count` includes this receive."""

    message_id: str
    receipt: str
    body: str
    receive_count: int
    sent_at: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """One entry of a batch that SQS did not take: `index` is its place in the batch.

    `retry` is True when SQS blames itself (SenderFault is false), so that the same entry may
    succeed later.
    """

    index: int
    code: str
    reason: str
    retry: bool


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of a batch: message ids by place in the batch, and the refusals."""

    sent: dict[int, str]
    refused: tuple[Refusal, ...]


class SqsQueue:
    """One SQS queue; every call is one request for up to ten messages."""

    def __init__(self, client: SQSClient, url: str) -> None:
        """Use this client (thread-safe) for the queue at this URL."""
        self._client = client
        self.url = url

    def send(self, bodies: Sequence[str]) -> SendResult:
        """Send up to ten bodies in one request.

        Raises:
            QueueUnavailableError: nobody answered, or SQS asked to slow down.
            QueueRefusedError: SQS refused the request as a whole.
        """
        with translated(self.url):
            answer = self._client.send_message_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(index), "MessageBody": body} for index, body in enumerate(bodies)
                ],
            )
        return SendResult(
            {int(entry["Id"]): entry["MessageId"] for entry in answer.get("Successful", [])},
            _refusals(answer),
        )

    def receive(self, limit: int, wait_seconds: int, visibility_seconds: int) -> list[Received]:
        """Receive up to `limit` (1 to 10) messages, waiting for the first up to `wait_seconds`.

        Raises:
            QueueUnavailableError: nobody answered, or SQS asked to slow down.
            QueueRefusedError: SQS refused the request.
        """
        with translated(self.url):
            answer = self._client.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=wait_seconds,
                VisibilityTimeout=visibility_seconds,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        return [
            Received(
                message_id=message["MessageId"],
                receipt=message["ReceiptHandle"],
                body=message["Body"],
                receive_count=int(message["Attributes"]["ApproximateReceiveCount"]),
                sent_at=int(message["Attributes"]["SentTimestamp"]) / 1000,
            )
            for message in answer.get("Messages", [])
        ]

    def delete(self, receipts: Sequence[str]) -> tuple[Refusal, ...]:
        """Delete up to ten messages in one request; return those that SQS did not delete.

        Raises:
            QueueUnavailableError: nobody answered, or SQS asked to slow down.
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
        """Set, for up to ten (receipt, seconds from now), when the message shows up again.

        Raises:
            QueueUnavailableError: nobody answered, or SQS asked to slow down.
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


def connect(url: str, name: str, connections: int = 10) -> SqsQueue:
    """Build the client and, when only the queue's name is given, ask SQS for the URL.

    Credentials, region and endpoint come from where boto3 takes them: AWS_ENDPOINT_URL and
    friends, profiles, the instance's role. `connections` is how many requests may be under way
    at once.

    Raises:
        QueueRefusedError: no such queue, no or bad credentials or region, not a URL.
        QueueUnavailableError: nobody answers at the endpoint.
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
                read_timeout=MAX_LONG_POLL + 10,
                max_pool_connections=connections,
                retries={"mode": "standard", "total_max_attempts": 4},
            ),
        )
        return SqsQueue(client, url or client.get_queue_url(QueueName=name)["QueueUrl"])


def is_queue_url(url: str) -> bool:
    """Tell whether this can be a queue's URL, without asking SQS."""
    try:
        parts = urlsplit(url)
    except ValueError:  # half an IPv6 address
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and len(parts.path) > 1


@contextmanager
def translated(queue: str) -> Iterator[None]:
    """Turn botocore's errors inside the block into ours, naming the queue.

    Raises:
        QueueUnavailableError: the call may succeed later.
        QueueRefusedError: it will not.
    """
    try:
        yield
    except ClientError as error:
        raise _from_answer(error, queue) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise QueueRefusedError(
            "no AWS credentials found: set AWS_PROFILE or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or run where a role is attached"
        ) from error
    except NoRegionError as error:
        raise QueueRefusedError("no AWS region: set AWS_REGION, as in AWS_REGION=eu-west-1") from (
            error
        )
    except (BotoConnectionError, HTTPClientError) as error:
        raise QueueUnavailableError(f"no answer from the endpoint: {error}") from error
    except (BotoCoreError, ParamValidationError, ValueError) as error:
        raise QueueRefusedError(f"cannot call SQS for queue {queue}: {error}") from error


def _from_answer(error: ClientError, queue: str) -> QueueRefusedError | QueueUnavailableError:
    details = error.response["Error"]
    code, said = details.get("Code", "?"), details.get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in THROTTLING or status >= 500:  # noqa: PLR2004 - HTTP's own limit of server errors
        return QueueUnavailableError(f"SQS asks to try later: {code} {said}".rstrip())
    if code in ABSENT:
        return QueueRefusedError(
            f"queue {queue} does not exist: check name or URL, region and account"
        )
    if code in CREDENTIALS:
        return QueueRefusedError(f"AWS does not accept these credentials: {code} {said}".rstrip())
    if code in DENIED:
        return QueueRefusedError(f"not allowed on queue {queue}: {said or code}")
    return QueueRefusedError(f"SQS refused the call on queue {queue}: {code} {said}".rstrip())


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
