"""Queue probe: reads the message counts of the work queue and its dead-letter queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.ledger.aws import counts, look_at
from tidemill.ledger.queues import Queues
from tidemill.scaling.metrics.queue import QueueSample

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient


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
        visible, in_flight, delayed = counts(self._sqs, self._url)
        self.latest = QueueSample(
            visible, in_flight, delayed, accessed=self._polled(), oldest_age=self._oldest_age()
        )
        return self.latest

    def dead_letters(self) -> int:
        """Return how many messages the dead-letter queue holds, including those in flight."""
        url = self._dead_letter_url
        return sum(counts(self._sqs, url)) if url else 0

    def left_over(self) -> Queues:
        """Return what is in both queues; each message is received once for that."""
        return Queues(
            look_at(self._sqs, self._url, inside=True),
            look_at(self._sqs, self._dead_letter_url, inside=True),
        )
