"""taskiq with taskiq-aio-sqs: a time limit, retries, extended visibility."""

from __future__ import annotations

import asyncio
import os
import sys

from taskiq import SimpleRetryMiddleware
from taskiq_aio_sqs import SQSBroker

from benchmarks.peers.work import ATTEMPTS, TIME_LIMIT, VISIBILITY, act, messages

broker = SQSBroker(
    sqs_queue_name=os.environ["QUEUE_NAME"],
    endpoint_url=os.environ["AWS_ENDPOINT_URL"],
    region_name=os.environ["AWS_REGION"],
    aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
    aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
    wait_time_seconds=5,
    max_number_of_messages=10,
    visibility_timeout=VISIBILITY,
    enable_heartbeat=True,
).with_middlewares(SimpleRetryMiddleware(default_retry_count=ATTEMPTS))

handle = broker.task(task_name="handle", retry_on_error=True, timeout=TIME_LIMIT)(act)


async def send(case: str) -> None:
    """Send the messages of a case."""
    await broker.startup()
    for one in messages(case):
        await handle.kiq(one)
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(send(sys.argv[1]))
