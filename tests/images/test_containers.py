"""Tests of running containers, with as few rights as possible, against a local AWS."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from support.emulators.docker import container
from support.emulators.ministack import CREDENTIALS, REGION
from support.emulators.programs import PATIENCE
from support.examples import misbehaving
from support.fakes.consuming import CIVIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient
    from docker.models.containers import Container
    from mypy_boto3_logs import CloudWatchLogsClient
    from support.emulators.docker import Images
    from support.emulators.ministack import Ministack

STOP_SECONDS: Final = 60
"""Docker kills a container after this; a passing test needs far less."""

FAST: Final = {"POLL_WAIT_SECONDS": "0.1", "RECEIVE_WAIT_SECONDS": "1"}

SLOW_HANDLER: Final = """
import time

def handle(message):
    print("handling")
    time.sleep(1)
"""

CLIENTS: Final = """
import sys
from importlib.resources import files

import boto3
from botocore.session import Session

for service in sys.argv[1:]:
    boto3.client(service, region_name="eu-west-1")
    print(service, Session().create_client(service, region_name="eu-west-1").meta.endpoint_url)
assert Session().get_partition_for_region("cn-north-1") == "aws-cn"
boto3.client("sqs", region_name="eu-west-1", config=boto3.session.Config(defaults_mode="standard"))
"""


class Place:
    """A queue of this test, and the settings that a container needs to work on it."""

    def __init__(self, server: Ministack) -> None:
        """Create the queue."""
        self.server = server
        self.name = f"images-{uuid.uuid4().hex[:8]}"
        self.url = server.create_queue(self.name)
        self.environment = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": server.endpoint,
            "QUEUE_NAME": self.name,
        }

    def send(self, *bodies: str) -> None:
        """Send messages."""
        self.server.send(self.url, *bodies)

    def counts(self) -> tuple[int, int]:
        """Return how many messages are visible and how many are not, in flight or delayed."""
        return self.server.counts(self.url)


@pytest.fixture
def place(ministack: Ministack) -> Place:
    """Provide a queue of this test's own."""
    return Place(ministack)


@pytest.fixture
def logs(ministack: Ministack) -> Iterator[CloudWatchLogsClient]:
    """Provide a CloudWatch Logs client of the local AWS."""
    client = boto3.client(
        "logs",
        endpoint_url=ministack.endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - no secret: MiniStack checks none
    )
    yield client
    client.close()


@pytest.fixture
def handlers() -> Iterator[Path]:
    """Provide a folder that the container can read, with a slow handler and a bad one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "slow.py").write_text(SLOW_HANDLER)
        (folder / "slow.py").chmod(0o644)
        shutil.copy(Path(str(misbehaving.__file__)), folder / "misbehaving.py")
        (folder / "misbehaving.py").chmod(0o644)
        yield folder


def lines(text: bytes) -> list[dict[str, Any]]:
    """Return the JSON lines of a container's output."""
    return [json.loads(line) for line in text.splitlines()]


def wait_for(running: Container, event: str, count: int = 1) -> None:
    """Wait for this many lines of the event; fail if they are not written in time."""
    deadline = time.monotonic() + PATIENCE
    output: list[dict[str, Any]] = []
    while time.monotonic() < deadline and running.status != "exited":
        running.reload()
        output = lines(running.logs(stderr=False))
        if sum(line["event"] == event for line in output) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(
        f"no {count} lines of {event!r} in {output} {running.logs(stdout=False)!r}"
    )


def ended(running: Container) -> tuple[int, list[dict[str, Any]], str]:
    """Wait for the container's end; return exit code, JSON lines of standard output, and errors."""
    code = running.wait(timeout=STOP_SECONDS)["StatusCode"]
    return code, lines(running.logs(stderr=False)), running.logs(stdout=False).decode()


def stopped(running: Container) -> tuple[int, list[dict[str, Any]], str]:
    """Stop the container as `docker stop` does, within ten seconds; return the same as `ended`."""
    running.stop()
    return ended(running)


def test_the_producer_needs_a_queue_name_an_endpoint_and_credentials(
    docker_engine: DockerClient, images: Images, place: Place
) -> None:
    """`docker run tidemill/producer --count 100` calls GetQueueUrl and SendMessageBatch."""
    with container(
        docker_engine, images.producer, "--count", "100", environment=place.environment
    ) as producer:
        code, output, errors = ended(producer)
    assert (code, output) == (0, []), errors
    assert "sent 100, failed 0" in errors
    bodies = place.server.take_all(place.url)
    assert len(bodies) == 100
    assert all(json.loads(body)["vehicleId"] for body in bodies)


def test_the_producer_explains_its_usage(
    docker_engine: DockerClient, images: Images, place: Place
) -> None:
    """Without arguments the producer prints what is missing, and exits with code 2."""
    with container(docker_engine, images.producer, environment=place.environment) as producer:
        code, _, errors = ended(producer)
    assert code == 2
    assert "Traceback" not in errors


def test_every_call_of_the_consumer_works(
    docker_engine: DockerClient, images: Images, place: Place, logs: CloudWatchLogsClient
) -> None:
    """All calls work in the image, with the botocore data that is left in it."""
    logs.create_log_group(logGroupName=place.name)
    place.send(CIVIC, CIVIC, '{"not": "a vehicle"}')
    settings = {"LOG_GROUP": place.name, "INSTANCE_ID": "i-0123", "MESSAGES_PER_POLL": "3"}
    with container(
        docker_engine, images.consumer, environment={**place.environment, **settings}
    ) as consumer:
        wait_for(consumer, "message", 3)
        wait_for(consumer, "cycle")
        code, output, errors = stopped(consumer)
    assert (code, errors) == (0, "")
    outcomes = [line["outcome"] for line in output if line["event"] == "message"]
    assert sorted(outcomes) == ["invalid", "processed", "processed"]
    assert place.counts() == (1, 0), "two deleted, one returned before its time"
    stored = logs.get_log_events(logGroupName=place.name, logStreamName="i-0123")["events"]
    assert [json.loads(event["message"]) for event in stored] == output


def test_docker_stop_ends_the_consumer_in_order(
    docker_engine: DockerClient, images: Images, place: Place, handlers: Path
) -> None:
    """SIGTERM reaches Python: running handlers finish, waiting messages return, nothing is lost."""
    sent = [CIVIC.replace("VH2001", f"VH{number}") for number in range(10)]
    place.send(*sent)
    settings = {"HANDLER": "slow:handle", "CONCURRENCY": "2", "PYTHONPATH": "/app:/handlers"}
    with container(
        docker_engine,
        images.consumer,
        environment={**place.environment, **FAST, **settings},
        volumes=(f"{handlers}:/handlers:ro",),
    ) as consumer:
        wait_for(consumer, "output", 2)
        code, output, errors = stopped(consumer)
    assert (code, errors) == (0, "")
    [stopping] = [line for line in output if line["event"] == "stopping"]
    assert stopping["in_hand"] > 0
    processed = [
        line["body"]["vehicleId"]
        for line in output
        if line["event"] == "message" and line["outcome"] == "processed"
    ]
    assert place.counts() == (10 - len(processed), 0), "none is still in flight"
    left = [json.loads(body)["vehicleId"] for body in place.server.take_all(place.url)]
    assert sorted(processed + left) == sorted(f"VH{number}" for number in range(10))
    assert processed


def test_bad_messages_cost_only_themselves_in_a_container(
    docker_engine: DockerClient, images: Images, place: Place, handlers: Path
) -> None:
    """With no more rights than a container has: one ends its process, one hangs, three are good."""
    place.send('{"do":"exits_at_once","with":3}', '{"do":"hangs"}', *['{"do":"nothing"}'] * 3)
    settings = {"HANDLER": "misbehaving:act", "WORKERS": "2", "MESSAGE_SECONDS": "2"}
    with container(
        docker_engine,
        images.consumer,
        environment={**place.environment, **FAST, **settings, "PYTHONPATH": "/app:/handlers"},
        volumes=(f"{handlers}:/handlers:ro",),
    ) as consumer:
        wait_for(consumer, "message", 5)
        _, output, _ = stopped(consumer)
    ends = {(line["body"]["do"], line["outcome"]) for line in output if line["event"] == "message"}
    assert ends == {("exits_at_once", "crashed"), ("hangs", "timed_out"), ("nothing", "processed")}


def test_a_consumer_that_waits_for_its_next_poll_ends_at_once(
    docker_engine: DockerClient, images: Images, place: Place
) -> None:
    """A consumer that rests for a minute ends at once."""
    with container(
        docker_engine,
        images.consumer,
        environment={**place.environment, "RECEIVE_WAIT_SECONDS": "0", "LOG_LEVEL": "DEBUG"},
    ) as consumer:
        wait_for(consumer, "queue empty")
        code, output, _ = stopped(consumer)
    assert code == 0
    assert output[-1]["event"] == "stopped"


@pytest.mark.parametrize("program", ["consumer", "producer"])
def test_a_client_of_each_kept_service_can_be_made(
    docker_engine: DockerClient, images: Images, program: str
) -> None:
    """Each kept service has its endpoint, as do partitions and defaults."""
    services = {
        "autoscaling": "https://autoscaling.eu-west-1.amazonaws.com",
        "cloudwatch": "https://monitoring.eu-west-1.amazonaws.com",
        "ec2": "https://ec2.eu-west-1.amazonaws.com",
        "logs": "https://logs.eu-west-1.amazonaws.com",
        "sqs": "https://sqs.eu-west-1.amazonaws.com",
        "ssm": "https://ssm.eu-west-1.amazonaws.com",
        "sts": "https://sts.eu-west-1.amazonaws.com",
        "sso": "https://portal.sso.eu-west-1.amazonaws.com",
        "sso-oidc": "https://oidc.eu-west-1.amazonaws.com",
    }
    with container(
        docker_engine,
        getattr(images, program),
        *("-c", CLIENTS, *services),
        entrypoint="python3",
        environment=CREDENTIALS,
    ) as python:
        code = python.wait(timeout=STOP_SECONDS)["StatusCode"]
        output, errors = (python.logs(stderr=False).decode(), python.logs(stdout=False).decode())
    assert code == 0, errors
    assert dict(line.split() for line in output.splitlines()) == services
