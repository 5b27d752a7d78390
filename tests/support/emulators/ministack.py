"""A local AWS endpoint of its own for tests that need one: MiniStack in a child process."""

from __future__ import annotations

import os
import socket
import subprocess
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import boto3

from tidemill.rig.door.credentials import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.config import Config
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

REGION: Final = "eu-west-1"
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0
ATTEMPTS: Final = 3
"""Starts to try: another process may take the free port before MiniStack uses it."""

OPEN: Final = Keys("test", "test")
"""Keys for an emulator without a door, which checks none."""
CREDENTIALS: Final = {
    **OPEN.environment(),
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def local_client(
    service: str,
    endpoint: str,
    region: str = REGION,
    config: Config | None = None,
    keys: Keys = OPEN,
) -> Any:  # noqa: ANN401 - any service's client
    """Return a client of an emulator of AWS."""
    return boto3.client(  # type: ignore[call-overload]  # its stubs list services
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        config=config,
    )


class Ministack:
    """A running MiniStack: `endpoint` is its URL, `environment` is what a client process needs."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        """Wrap a process that answers at this port; `running` starts one."""
        self.endpoint = f"http://127.0.0.1:{port}"
        self._process = process

    @property
    def environment(self) -> dict[str, str]:
        """Return this process' environment with the endpoint and without its own AWS settings."""
        return {**without_aws(os.environ), **CREDENTIALS, "AWS_ENDPOINT_URL": self.endpoint}

    @contextmanager
    def client(self, service: str) -> Iterator[Any]:
        """Provide a client of a service at this endpoint and close it afterwards."""
        client = local_client(service, self.endpoint)
        try:
            yield client
        finally:
            client.close()

    @contextmanager
    def sqs(self) -> Iterator[SQSClient]:
        """Provide an SQS client of this endpoint and close it afterwards."""
        with self.client("sqs") as client:
            yield client

    def create_queue(
        self, name: str, attributes: Mapping[QueueAttributeNameType, str] | None = None
    ) -> str:
        """Create a queue and return its URL."""
        with self.sqs() as client:
            return client.create_queue(QueueName=name, Attributes=attributes or {})["QueueUrl"]

    def send(self, url: str, *bodies: str) -> None:
        """Send messages to a queue, one after another."""
        with self.sqs() as client:
            for body in bodies:
                client.send_message(QueueUrl=url, MessageBody=body)

    def counts(self, url: str) -> tuple[int, int]:
        """Return how many messages of a queue are visible and how many are not, in flight."""
        with self.sqs() as client:
            got = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        return (
            int(got["Attributes"]["ApproximateNumberOfMessages"]),
            int(got["Attributes"]["ApproximateNumberOfMessagesNotVisible"]),
        )

    def take_all(self, url: str) -> list[str]:
        """Receive and delete until the queue is empty; return the bodies."""
        bodies: list[str] = []
        with self.sqs() as client:
            while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
                "Messages"
            ):
                bodies += [message["Body"] for message in messages]
                client.delete_message_batch(
                    QueueUrl=url,
                    Entries=[
                        {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                        for index, message in enumerate(messages)
                    ],
                )
        return bodies

    def answers(self) -> bool:
        """Return whether the endpoint is ready for requests."""
        try:
            health = f"{self.endpoint}/_ministack/health"
            with urllib.request.urlopen(health, timeout=5):  # noqa: S310 - http:// as built above
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def wait_until_ready(self, seconds: float) -> bool:
        """Wait until it answers; return False if it ended or the time is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            if self.answers():
                return True
            time.sleep(0.05)
        return False


def without_aws(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without any variable that makes boto3 use another endpoint."""
    return {name: value for name, value in environment.items() if not name.startswith("AWS_")}


def free_port() -> int:
    """Return a TCP port of the loopback interface on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running() -> Iterator[Ministack]:
    """Start a MiniStack on a free port, provide it, and stop it.

    Raises:
        RuntimeError: it did not become ready; the text ends with what it printed.
    """
    with tempfile.TemporaryFile() as log:
        for _ in range(ATTEMPTS):
            port = free_port()
            process = _start(port, log)
            try:
                server = Ministack(port, process)
                if server.wait_until_ready(START_SECONDS):
                    yield server
                    return
            finally:
                _stop(process)
        log.seek(0)
        raise RuntimeError(f"MiniStack does not start:\n{log.read().decode(errors='replace')}")


def _start(port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [Path(sysconfig.get_path("scripts")) / "ministack"],
        env={
            **without_aws(os.environ),
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        },
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
