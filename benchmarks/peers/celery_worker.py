"""Celery over SQS: as it is by default, or with late acknowledgement (BENCH_LATE=1)."""

from __future__ import annotations

import os
import sys

from celery import Celery

from benchmarks.peers.work import ATTEMPTS, TIME_LIMIT, VISIBILITY, act, messages

LATE = os.environ.get("BENCH_LATE") == "1"
ENDPOINT = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
QUEUE = os.environ["QUEUE_NAME"]
KEY, SECRET = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]

app = Celery("celery_worker", broker=f"sqs://{KEY}:{SECRET}@{ENDPOINT}//")
app.conf.update(
    task_ignore_result=True,
    task_default_queue=QUEUE,
    task_time_limit=TIME_LIMIT,
    task_acks_late=LATE,
    task_reject_on_worker_lost=LATE,
    task_acks_on_failure_or_timeout=not LATE,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "region": os.environ["AWS_REGION"],
        "is_secure": False,
        "wait_time_seconds": 5,
        "visibility_timeout": VISIBILITY,
        "predefined_queues": {
            QUEUE: {
                "url": os.environ["QUEUE_URL"],
                "access_key_id": KEY,
                "secret_access_key": SECRET,
            }
        },
    },
)
handle = app.task(
    name="handle", autoretry_for=(Exception,), max_retries=ATTEMPTS - 1, default_retry_delay=1
)(act)

if __name__ == "__main__":
    for one in messages(sys.argv[1]):
        handle.delay(one)
