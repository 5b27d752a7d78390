"""The connection to a queue: a client whose calls end in time and whose answers are checked."""

from __future__ import annotations

import boto3
from botocore.config import Config

from shared.errors import QueueRefusedError
from shared.queue import SqsQueue
from shared.queue_errors import translated
from shared.queue_names import is_queue_url, without_login
from shared.quotas import MAX_LONG_POLL
from shared.region import chosen_region
from shared.sqs.answers import check_answers
from shared.sqs.calls import ANSWER_SECONDS, Calls
from shared.sqs.limits import use_limits


def connect(
    url: str,
    name: str,
    connections: int = 10,
    *,
    attempts: int = 4,
    answer_seconds: float = ANSWER_SECONDS,
) -> SqsQueue:
    """Create the client; if only the queue's name is given, ask SQS for its URL.

    boto3 finds credentials, region and endpoint itself: in AWS_ENDPOINT_URL and similar variables,
    in profiles, in the instance's role. `connections` is how many requests may run at once. Each
    call has up to `attempts` attempts, and each of them `answer_seconds` for its answer.

    Raises:
        QueueRefusedError: no such queue, no or bad credentials or region, not a URL.
        QueueUnavailableError: the endpoint does not answer, or not as SQS.
    """
    if url and not is_queue_url(url):
        raise QueueRefusedError(
            f"{without_login(url)!r} is not a queue URL: give one like "
            "https://sqs.eu-west-1.amazonaws.com/123456789012/name"
        )
    with translated(url or name):
        client = boto3.client(
            "sqs",
            region_name=chosen_region(),
            config=Config(
                connect_timeout=5,
                read_timeout=answer_seconds + MAX_LONG_POLL,
                max_pool_connections=connections,
                # The attempts are made in shared.sqs.calls, which knows more wrong answers.
                retries={"mode": "standard", "total_max_attempts": 1},
            ),
        )
    use_limits(client)
    check_answers(client)
    calls = Calls(attempts, answer_seconds)
    if not url:
        found = calls.make(name, lambda: client.get_queue_url(QueueName=name))
        url = found["QueueUrl"]
    return SqsQueue(client, url, calls)
