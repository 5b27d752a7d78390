"""The rig's view of the work queue and its dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.quotas import MAX_BATCH
from tidemill.scaling.metrics.queue import QueueSample

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

ATTRIBUTES: tuple[QueueAttributeNameType, ...] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class QueueProbe:
    """Samples the work queue; it stands for SQS's own counting, so it is no access to the queue."""

    def __init__(
        self, sqs: SQSClient, url: str, dead_letter_url: str | None, polled: Callable[[], bool]
    ) -> None:
        """Look at these queues; `polled` tells whether anybody polls at the moment."""
        self._sqs = sqs
        self._url = url
        self._dead_letter_url = dead_letter_url
        self._polled = polled
        self.latest = QueueSample(0, 0)

    def sample(self) -> QueueSample:
        """Return the work queue's counts as they are now."""
        visible, in_flight, delayed = self._counts(self._url)
        self.latest = QueueSample(visible, in_flight, delayed, accessed=self._polled())
        return self.latest

    def dead_letters(self) -> int:
        """Return how many messages the dead-letter queue holds, in flight or not."""
        return sum(self._counts(self._dead_letter_url)) if self._dead_letter_url else 0

    def left_over(self) -> tuple[set[str], set[str]]:
        """Return the ids of the messages in the work queue and in the dead-letter queue.

        Messages are looked at by receiving them, and given back at once; those that somebody
        holds in flight are not seen. Only for when the work is over.
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
            QueueUrl=url, MaxNumberOfMessages=MAX_BATCH, VisibilityTimeout=60, WaitTimeSeconds=0
        ).get("Messages"):
            seen |= {message["ReceiptHandle"]: message["MessageId"] for message in messages}
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
