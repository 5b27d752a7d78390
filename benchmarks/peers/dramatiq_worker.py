"""dramatiq with dramatiq_sqs: three attempts, a time limit, a dead-letter queue."""

from __future__ import annotations

import os
import sys

import dramatiq
from dramatiq_sqs import SQSBroker

from benchmarks.peers.work import ATTEMPTS, TIME_LIMIT, VISIBILITY, act, messages

dramatiq.set_broker(
    SQSBroker(
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        dead_letter=True,
        visibility_timeout=VISIBILITY,
    )
)

handle = dramatiq.actor(
    act,
    actor_name="handle",
    queue_name=os.environ["QUEUE_NAME"],
    max_retries=ATTEMPTS - 1,
    min_backoff=1000,
    time_limit=TIME_LIMIT * 1000,
)

if __name__ == "__main__":
    for one in messages(sys.argv[1]):
        handle.send(one)
