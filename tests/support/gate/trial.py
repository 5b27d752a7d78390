"""Trials: small runs of the real producer and real workers, over an SQS that is not always kind.

The programs run from a copy of `images/`, which a mutant may have changed. What became of the
messages is told by the product's own ledger.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final

from support.emulators.ministack import local_client
from support.emulators.producers import finished

from tidemill.ledger.aws import counts, look_at
from tidemill.ledger.queues import Queues

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from support.gate.faulty_sqs import FaultySqs

PATIENCE: Final = 60.0
"""Seconds to wait for a condition; a quiet machine needs far fewer."""

END_SECONDS: Final = 30.0
"""Seconds that a worker may take to end after SIGTERM, with a drain of 20 s."""

CREATING: Final = Lock()
"""boto3 cannot create clients in several threads at once (its guide, "Clients")."""

HANDLERS: Final = """
import os, pathlib, time
from consumer.handlers.api import Message, Reject

def handle(order: dict, message: Message) -> None:
    if order["does"] == "slow":
        pathlib.Path("slow").write_text(os.environ["INSTANCE_ID"])
        time.sleep(8)
    if order["does"] == "fail" or (order["does"] == "fail once" and message.receive_count == 1):
        raise ValueError("not today")
    if order["does"] == "reject":
        raise Reject("nobody wants it")
"""

SETTINGS: Final = {
    "HANDLER": "gate_handlers:handle",
    "WORKERS": "0",
    "CONCURRENCY": "4",
    "POLL_WAIT_SECONDS": "0.1",
    "VISIBILITY_TIMEOUT_SECONDS": "6",
    "RETRY_DELAY_SECONDS": "0.2",
    "RETRY_DELAY_MAX_SECONDS": "0.5",
    "MESSAGE_SECONDS": "30",
    "DRAIN_SECONDS": "20",
}


class Trial:
    """One run in a folder, with queues of its own; `images` is the folder of the programs."""

    def __init__(
        self, environment: Mapping[str, str], sqs: FaultySqs, images: Path, folder: Path
    ) -> None:
        """Create the queues at the endpoint that the environment names."""
        self.folder = folder
        self.sqs = sqs
        self._environment = environment
        self._endpoint = environment["AWS_ENDPOINT_URL"]
        with CREATING:
            self._client: SQSClient = local_client("sqs", self._endpoint)
        self._images = images
        (folder / "logs").mkdir(parents=True)
        (folder / "gate_handlers.py").write_text(HANDLERS)
        name = f"gate-{uuid.uuid4().hex[:8]}"
        self._dead = self._create(f"{name}-dead")
        arn = f"arn:aws:sqs:eu-west-1:000000000000:{name}-dead"
        policy = {"deadLetterTargetArn": arn, "maxReceiveCount": "3"}
        self._work = self._create(name, {"RedrivePolicy": json.dumps(policy)})

    def _create(
        self, name: str, attributes: dict[QueueAttributeNameType, str] | None = None
    ) -> str:
        created = self._client.create_queue(QueueName=name, Attributes=attributes or {})
        return created["QueueUrl"]

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of a program of the copy, whose SQS is the faulty one."""
        return {
            **self._environment,
            "AWS_ENDPOINT_URL": self.sqs.endpoint,
            "PYTHONPATH": os.pathsep.join([str(self._images), str(self.folder)]),
            "QUEUE_URL": self._work.replace(self._endpoint, self.sqs.endpoint),
        }

    def produce(self, bodies: list[str]) -> None:
        """Send what a file holds, and give the same command again, as after an interruption."""
        file = self.folder / "orders.jsonl"
        file.write_text("".join(f"{body}\n" for body in bodies))
        command = (
            *("--file", file, "--resume", self.folder / "journal", "--in-flight", 1),
            *("--sent-log", self.folder / "sent.jsonl"),
        )
        for _ in range(2):
            finished(*command, environment=self.environment)

    def send_at_once(self, *bodies: str) -> None:
        """Send messages without a producer, and note their ids."""
        with (self.folder / "sent.jsonl").open("a") as log:
            for body in bodies:
                answer = self._client.send_message(QueueUrl=self._work, MessageBody=body)
                log.write(json.dumps({"message_id": answer["MessageId"]}) + "\n")

    @contextmanager
    def worker(self, instance: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a worker, and kill it at last if it still runs."""
        dead = self._dead.replace(self._endpoint, self.sqs.endpoint)
        own = {"INSTANCE_ID": instance, "DEAD_LETTER_QUEUE_URL": dead, **SETTINGS, **settings}
        with (
            (self.folder / f"logs/{instance}.jsonl").open("wb") as out,
            (self.folder / f"{instance}.err").open("wb") as errors,
        ):
            process = subprocess.Popen(
                [sys.executable, "-m", "consumer"],
                env={**self.environment, **own},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
            )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def stop(self, worker: subprocess.Popen[bytes]) -> None:
        """Stop a worker as Docker does: SIGTERM, and SIGKILL if it takes too long."""
        worker.send_signal(signal.SIGTERM)
        self.wait(worker)

    def wait(self, worker: subprocess.Popen[bytes]) -> None:
        """Wait for the end of a worker that was asked to stop, and kill it if it takes too long."""
        try:
            worker.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()

    def said(self, instance: str, event: str) -> bool:
        """Return whether a worker has written a line of this event."""
        text = (self.folder / f"logs/{instance}.jsonl").read_text()
        return f'"event":"{event}"' in text

    def empty(self) -> bool:
        """Return whether nothing is in the work queue, not even in flight."""
        return not any(counts(self._client, self._work))

    def queues(self) -> Queues:
        """Return what is in both queues, after the last worker has ended."""
        urls = (self._work, self._dead)
        found = Queues(*(look_at(self._client, url, inside=True) for url in urls))
        self._client.close()
        return found


def wait_until(true: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait for a condition; return whether it came about in time, which mutants may prevent."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
