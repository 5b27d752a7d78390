"""Queue probe: reads the message counts of the work queue and its dead-letter queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.messages.dead_letters import MESSAGE_ID
from shared.quotas import MAX_BATCH
from tidemill.scaling.metrics.queue import QueueSample

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageTypeDef

ATTRIBUTES: tuple[QueueAttributeNameType, ...] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class QueueProbe:
    """A probe that counts messages as SQS itself does; sampling does not count as access."""

    def __init__(
        self,
        sqs: SQSClient,
        url: str,
        dead_letter_url: str | None,
        polled: Callable[[], bool],
        oldest_age: Callable[[], float | None],
    ) -> None:
        """Probe these queues.

        Args:
            sqs: the client.
            url: the work queue's URL.
            dead_letter_url: the URL of its dead-letter queue, None without one.
            polled: returns whether any consumer polls at present.
            oldest_age: returns the age of the oldest message, None if it is not known.
        """
        self._sqs = sqs
        self._url = url
        self._dead_letter_url = dead_letter_url
        self._polled = polled
        self._oldest_age = oldest_age
        self.latest = QueueSample(0, 0)

    def sample(self) -> QueueSample:
        """Return the work queue's counts as they are now."""
        visible, in_flight, delayed = self._counts(self._url)
        self.latest = QueueSample(
            visible, in_flight, delayed, accessed=self._polled(), oldest_age=self._oldest_age()
        )
        return self.latest

    def dead_letters(self) -> int:
        """Return how many messages the dead-letter queue holds, including those in flight."""
        return sum(self._counts(self._dead_letter_url)) if self._dead_letter_url else 0

    def left_over(self) -> tuple[set[str], set[str]]:
        """Return the ids of the messages in the work queue and in the dead-letter queue.

        A copy of a message that a handler rejected counts by the id of that message.

        The messages are received and made visible again at once. Messages in flight cannot be
        received, so the result is complete only at the end of a run.
        """
        return self._ids(self._url), self._ids(self._dead_letter_url)

    def _counts(self, url: str) -> list[int]:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=ATTRIBUTES)
        counts: dict[str, str] = dict(answer["Attributes"].items())
        return [int(counts[name]) for name in ATTRIBUTES]

    def _ids(self, url: str | None) -> set[str]:
        if url is None:
            return set()
        seen: dict[str, str] = {}
        while messages := self._sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=MAX_BATCH,
            VisibilityTimeout=60,
            WaitTimeSeconds=0,
            MessageAttributeNames=[MESSAGE_ID],
        ).get("Messages"):
            seen |= {message["ReceiptHandle"]: _original_id(message) for message in messages}
        receipts = list(seen)
        for start in range(0, len(receipts), MAX_BATCH):
            self._sqs.change_message_visibility_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                    for number, receipt in enumerate(receipts[start : start + MAX_BATCH])
                ],
            )
        return set(seen.values())


def _original_id(message: MessageTypeDef) -> str:
    found = message.get("MessageAttributes", {}).get(MESSAGE_ID)
    return found["StringValue"] if found else message["MessageId"]
