"""The place of dead letters: their queue, where they came from, and where consumers' lines are."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from shared.queue import SqsQueue
from shared.queue_errors import translated
from shared.queue_names import is_queue_url
from shared.region import chosen_region
from shared.sqs.answers import check_answers
from shared.sqs.calls import Calls
from shared.sqs.limits import use_limits
from shared.sqs.wrong_answers import ABSENT, kind_of
from tidemill.aws_errors import DENIED, error_code
from tidemill.dead_letters.errors import DeadLetterError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

CONFIG: Final = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 1}
)
"""A call is made once: botocore would make one without an answer again, and not say so."""

ATTEMPTS: Final = 4
"""Attempts of a call that only asks."""

UNKNOWN_ACTION: Final = frozenset({"InvalidAction", "UnsupportedOperation"})
"""Codes of emulators that do not have an action."""

LOGS_CONFIG: Final = Config(
    connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 6}
)


@dataclass(frozen=True, slots=True)
class Account:
    """The account, region and endpoint of the queues."""

    region: str | None = None
    endpoint: str | None = None

    def client(self, service: str, config: Config = CONFIG) -> Any:  # noqa: ANN401 - any service's client
        """Return a client.

        Raises:
            QueueRefusedError: there is no region, or the profile or URL cannot be used.
        """
        with translated(service):
            client = boto3.client(  # type: ignore[call-overload]  # its stubs list services
                service,
                region_name=self.region or chosen_region(),
                endpoint_url=self.endpoint,
                config=config,
            )
        if service == "sqs":  # calls that end in time, and answers that are checked
            use_limits(client)
            check_answers(client)
        return client


@dataclass(frozen=True, slots=True)
class Counts:
    """About how many letters can be received, and are hidden by readers."""

    visible: int
    hidden: int


@dataclass(frozen=True, slots=True)
class Place:
    """A dead-letter queue.

    Attributes:
        client: the client of SQS.
        queue: the dead-letter queue.
        work_url: the one queue whose dead letters it gets, if that is known without asking.
    """

    client: SQSClient
    queue: SqsQueue
    work_url: str | None = None

    def counts(self) -> Counts:
        """Return about how many letters there are; SQS may be a minute late."""
        found = _attributes(self.client, self.queue.url)
        return Counts(
            int(found.get("ApproximateNumberOfMessages", 0)),
            int(found.get("ApproximateNumberOfMessagesNotVisible", 0)),
        )

    def target(self, given: str | None) -> SqsQueue:
        """Return the queue that letters are sent to: the given one, or the one source.

        Raises:
            DeadLetterError: it is not clear, it is of the other kind, or it is this queue.
        """
        url = (self.work_url or self._source()) if given is None else queue_url(self.client, given)
        if url == self.queue.url:
            raise DeadLetterError(f"--to {given}: this is the dead-letter queue itself")
        _attributes(self.client, url)  # it must exist before anything is touched
        return SqsQueue(self.client, url)

    def _source(self) -> str:
        """Return the URL of the one queue whose dead letters this queue gets."""

        def ask() -> list[str]:
            try:
                answer = self.client.list_dead_letter_source_queues(QueueUrl=self.queue.url)
            except ClientError as error:
                if error_code(error) not in UNKNOWN_ACTION | DENIED:
                    raise
                raise DeadLetterError(
                    f"SQS does not say whose dead letters {name_of(self.queue.url)} has "
                    f"({error_code(error)}): say where to send them with --to"
                ) from error
            return answer.get("queueUrls", [])

        sources = Calls(ATTEMPTS).make(self.queue.url, ask)
        if len(sources) != 1:
            raise DeadLetterError(
                f"{name_of(self.queue.url)} has the dead letters of "
                f"{', '.join(map(name_of, sources)) or 'no queue that SQS knows'}: say where to "
                "send them with --to, and choose those of one queue with --source"
            )
        return sources[0]


def place_of(account: Account, queue: str, *, counted: bool = False) -> Place:
    """Return the place of a dead-letter queue, by name or URL.

    Args:
        account: where the queue is.
        queue: the dead-letter queue's name or URL.
        counted: accept a queue with dead letters of its own, where each look counts as a receive.

    Raises:
        DeadLetterError: it has dead letters of its own.
        QueueError: there is no such queue, or SQS does not answer.
    """
    client = account.client("sqs")
    url = queue_url(client, queue)
    found = _attributes(client, url)
    if policy := found.get("RedrivePolicy"):
        target = json.loads(policy).get("deadLetterTargetArn", "?").rsplit(":", 1)[-1]
        if not counted:
            raise DeadLetterError(
                f"{name_of(url)} is no last stop: SQS moves its messages to {target} after "
                f"{json.loads(policy).get('maxReceiveCount', '?')} receives, and each look is one. "
                f"Give --queue {target}, or --count-receives if you mean this queue"
            )
    return Place(client, SqsQueue(client, url))


def place_of_stack(account: Account, stack: str) -> Place:
    """Return the place of a stack's dead letters, whose names the template gives.

    Raises:
        DeadLetterError: the stack has no such queue.
        QueueError: SQS does not answer, or refuses to.
    """
    client = account.client("sqs")
    for suffix in ("", ".fifo"):
        with suppress(LookupError):
            url = _url_of_name(client, f"{stack}-dead-letters{suffix}")
            work = _url_of_name(client, f"{stack}-work{suffix}")
            return Place(client, SqsQueue(client, url), work)
    raise DeadLetterError(
        f"there is no queue {stack}-dead-letters or {stack}-dead-letters.fifo: check --stack, "
        "region and account"
    )


def queue_url(client: SQSClient, given: str) -> str:
    """Return the URL of a queue that is given by name, ARN or URL.

    Raises:
        QueueError: there is no such queue, or SQS does not answer.
    """
    if is_queue_url(given):
        return given
    name = given.rsplit(":", 1)[-1]
    try:
        return _url_of_name(client, name)
    except LookupError as error:
        raise DeadLetterError(
            f"queue {name} does not exist: check its name, region and account"
        ) from error


def name_of(url: str) -> str:
    """Return the name in a queue's URL."""
    return url.rsplit("/", 1)[-1]


def _url_of_name(client: SQSClient, name: str) -> str:
    """Return the URL of a queue; raises LookupError if there is none."""

    def ask() -> str:
        try:
            return client.get_queue_url(QueueName=name)["QueueUrl"]
        except ClientError as error:
            if kind_of(error_code(error)).codes == ABSENT:
                raise LookupError(name) from error
            raise

    return Calls(ATTEMPTS).make(name, ask)


def _attributes(client: SQSClient, url: str) -> dict[str, str]:
    answer = Calls(ATTEMPTS).make(
        url, lambda: client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    )
    return {str(name): value for name, value in answer.get("Attributes", {}).items()}
