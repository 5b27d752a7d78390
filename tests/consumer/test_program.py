"""Tests of `python -m consumer` as a process of its own, against MiniStack."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from support.emulators.ministack import CREDENTIALS, free_port
from support.emulators.programs import PATIENCE, running
from support.fakes.consuming import CIVIC

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_logs import CloudWatchLogsClient
    from support.emulators.ministack import Ministack
    from support.emulators.programs import Program

pytestmark = pytest.mark.impure

HANDLERS = """
import pathlib, time

def fail(message):
    raise ValueError(f"no {message.vehicle.make} today")

def wait_for_file(message):
    pathlib.Path("started").touch()
    print('{"event": "handling"}')
    while not pathlib.Path("go").exists():
        time.sleep(0.01)

def never_return(message):
    print('{"event": "handling"}')
    time.sleep(3600)

def slow(message):
    print('{"event": "handling"}')
    time.sleep(5)

not_a_function = 3
"""


class Stage:
    """A queue with a dead-letter queue, and consumers that run in a directory of this test."""

    def __init__(self, server: Ministack, directory: Path) -> None:
        """Create the queues; SQS moves a message to the dead letters after three receives."""
        self.server = server
        self.directory = directory
        (directory / "fleet_handlers.py").write_text(HANDLERS)
        self.name = f"work-{uuid.uuid4().hex[:8]}"
        self.dead_letters = server.create_queue(f"{self.name}-dead")
        policy = {
            "deadLetterTargetArn": f"arn:aws:sqs:eu-west-1:000000000000:{self.name}-dead",
            "maxReceiveCount": "3",
        }
        self.url = server.create_queue(self.name, {"RedrivePolicy": json.dumps(policy)})

    def send(self, *bodies: str) -> None:
        """Send messages."""
        with self.server.sqs() as client:
            for body in bodies:
                client.send_message(QueueUrl=self.url, MessageBody=body)

    def counts(self) -> tuple[int, int]:
        """Return how many messages are visible and how many in flight."""
        with self.server.sqs() as client:
            got = client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        return (
            int(got["Attributes"]["ApproximateNumberOfMessages"]),
            int(got["Attributes"]["ApproximateNumberOfMessagesNotVisible"]),
        )

    def dead(self) -> list[str]:
        """Return the dead letters; MiniStack moves them when the queue is received from."""
        with self.server.sqs() as client:
            client.receive_message(QueueUrl=self.url)
        return self.server.take_all(self.dead_letters)

    @contextmanager
    def consumer(self, **settings: str) -> Iterator[Program]:
        """Run a consumer that polls often, with these settings as well."""
        environment = {
            **self.server.environment,
            "QUEUE_URL": self.url,
            "POLL_WAIT_SECONDS": "0.1",
            "RECEIVE_WAIT_SECONDS": "1",
            "INSTANCE_ID": "i-0123",
            **settings,
        }
        with running("consumer", environment, self.directory) as program:
            yield program


@pytest.fixture
def stage(ministack: Ministack, tmp_path: Path) -> Stage:
    """Provide queues of this test's own."""
    return Stage(ministack, tmp_path)


def outcomes(program: Program) -> list[tuple[str, int]]:
    """Return outcome and receive count of every message line."""
    return [(line["outcome"], line["receive_count"]) for line in program.events("message")]


def test_messages_are_logged_with_their_content_and_taken_out_of_the_queue(stage: Stage) -> None:
    """Bodies get from the queue to standard output, and SIGTERM ends the consumer in order."""
    bodies = [CIVIC.replace("VH2001", f"VH{number}") for number in range(15)]
    stage.send(*bodies)
    with stage.consumer() as consumer:
        lines = consumer.wait_for("message", 15)
        consumer.wait_for("cycle", 2)
        assert consumer.stop() == 0
    assert {line["body"]["vehicleId"] for line in lines} == {f"VH{n}" for n in range(15)}
    assert {line["instance_id"] for line in lines} == {"i-0123"}
    assert sum(line["MessagesProcessed"] for line in consumer.events("cycle")) == 15
    assert [line["in_hand"] for line in consumer.events("stopping")] == [0]
    assert [line["exit_code"] for line in consumer.events("stopped")] == [0]
    assert consumer.errors == []
    assert stage.counts() == (0, 0)


def test_the_queue_may_be_given_by_name(stage: Stage) -> None:
    """With QUEUE_NAME the consumer asks SQS for the URL."""
    stage.send(CIVIC)
    with stage.consumer(QUEUE_URL="", QUEUE_NAME=stage.name) as consumer:
        consumer.wait_for("message")
        assert consumer.stop() == 0
    [started] = consumer.events("started")
    assert started["queue_url"] == stage.url
    assert consumer.events("cycle")[0]["QueueName"] == stage.name


def test_poison_becomes_a_dead_letter_and_blocks_nothing(stage: Stage) -> None:
    """Poison is received three times without delay; valid messages around it are processed."""
    stage.send("hello", CIVIC, '{"vehicleId": 3}', CIVIC)
    with stage.consumer(MESSAGES_PER_POLL="100") as consumer:
        consumer.wait_for("message", 8)
        assert consumer.stop() == 0
    assert sorted(outcomes(consumer)) == [
        *[("invalid", count) for count in (1, 1, 2, 2, 3, 3)],
        *[("processed", 1)] * 2,
    ]
    assert sorted(stage.dead()) == ["hello", '{"vehicleId": 3}']


def test_a_failing_handler_gets_its_message_again_until_the_dead_letters(stage: Stage) -> None:
    """Each line of a failed attempt holds the reason."""
    stage.send(CIVIC)
    with stage.consumer(
        HANDLER="fleet_handlers:fail", RETRY_DELAY_SECONDS="0.1", RETRY_DELAY_MAX_SECONDS="0.2"
    ) as consumer:
        lines = consumer.wait_for("message", 3)
        assert consumer.stop() == 0
    assert outcomes(consumer) == [("failed", 1), ("failed", 2), ("failed", 3)]
    assert {line["reason"] for line in lines} == {"ValueError: no Honda today"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait_at_once(stage: Stage, number: signal.Signals) -> None:
    """A wait of an hour ends at the first signal; a second signal changes nothing."""
    with stage.consumer(
        POLL_WAIT_SECONDS="3600", RECEIVE_WAIT_SECONDS="0", LOG_LEVEL="DEBUG"
    ) as consumer:
        consumer.wait_for("queue empty")
        consumer.signal(number)
        consumer.signal(number)
        assert consumer.wait() == 0
    assert consumer.errors == []


def test_a_signal_during_a_long_poll_loses_no_message(stage: Stage) -> None:
    """Whether or not the receive still gets the message, it is visible right after the end."""
    with stage.consumer(RECEIVE_WAIT_SECONDS="3", LOG_LEVEL="DEBUG") as consumer:
        consumer.wait_for("queue empty")
        consumer.signal()
        stage.send(CIVIC)
        assert consumer.wait() == 0
    assert stage.counts() == (1, 0)
    assert consumer.events("message") == []


def test_a_signal_while_handling_lets_the_handler_finish(stage: Stage) -> None:
    """Waiting messages are back in the queue before the running handler has finished."""
    stage.send(CIVIC, CIVIC, CIVIC)
    with stage.consumer(HANDLER="fleet_handlers:wait_for_file") as consumer:
        consumer.wait_for("handling")
        consumer.signal()
        consumer.wait_for("messages returned")
        (stage.directory / "go").touch()
        assert consumer.wait() == 0
    assert outcomes(consumer) == [("processed", 1)]
    assert stage.counts() == (2, 0)


@pytest.mark.parametrize("concurrency", ["1", "3"])
def test_a_handler_that_never_returns_does_not_prevent_the_exit(
    stage: Stage, concurrency: str
) -> None:
    """The stuck handler's message returns to the queue, a line names it, and the process ends."""
    stage.send(CIVIC)
    with stage.consumer(
        HANDLER="fleet_handlers:never_return", DRAIN_SECONDS="0.5", CONCURRENCY=concurrency
    ) as consumer:
        consumer.wait_for("handling")
        assert consumer.stop() == 0
    [stuck] = consumer.events("handler still running at the limit")
    [returned] = consumer.events("messages returned")
    assert stuck["message_ids"] == returned["message_ids"]
    assert stage.counts() == (1, 0)
    assert consumer.events("stopped")


def test_heartbeats_keep_messages_that_take_longer_than_their_visibility(stage: Stage) -> None:
    """With 5 s of work at a visibility timeout of 2 s, a second consumer gets neither message."""
    stage.send(CIVIC, CIVIC)
    slow = {"HANDLER": "fleet_handlers:slow", "VISIBILITY_TIMEOUT_SECONDS": "2"}
    with stage.consumer(**slow) as consumer:
        consumer.wait_for("handling")
        with stage.consumer() as rival:
            consumer.wait_for("message", 2)
            assert rival.stop() == 0
        assert consumer.stop() == 0
    assert outcomes(consumer) == [("processed", 1), ("processed", 1)]
    assert outcomes(rival) == []
    assert stage.counts() == (0, 0)


def test_all_wrong_settings_are_reported_at_once(stage: Stage) -> None:
    """Each wrong setting has a line; the exit code is 2, and there is no traceback."""
    with stage.consumer(QUEUE_URL="", POLL_WAIT_SECONDS="soon", CONCURRENCY="0") as consumer:
        assert consumer.wait() == 2
    assert consumer.errors == [
        "consumer: POLL_WAIT_SECONDS='soon': give a number of seconds from 0 to 86400",
        "consumer: CONCURRENCY='0': give a whole number from 1 to 10",
        "consumer: set QUEUE_URL or QUEUE_NAME: which queue to work on",
    ]


@pytest.mark.parametrize(
    ("handler", "expected"),
    [
        ("fleet_work:do", "there is no module 'fleet_work'; is it on PYTHONPATH?"),
        ("fleet_handlers:do", "module 'fleet_handlers' has no function 'do'"),
        ("fleet_handlers:not_a_function", "'not_a_function' is a int, not a function"),
    ],
)
def test_a_wrong_handler_is_reported(stage: Stage, handler: str, expected: str) -> None:
    """The consumer checks this before it receives anything."""
    with stage.consumer(HANDLER=handler) as consumer:
        assert consumer.wait() == 2
    assert consumer.errors == [f"consumer: HANDLER='{handler}': {expected}"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"QUEUE_URL": "", "QUEUE_NAME": "nowhere"}, "does not exist", id="name"),
        pytest.param({"QUEUE_URL": "{endpoint}/000000000000/nowhere"}, "does not exist", id="URL"),
        pytest.param({"QUEUE_URL": "work"}, "'work' is not a queue URL", id="not a URL"),
        pytest.param({"AWS_ENDPOINT_URL": "{nobody}"}, "no answer from the endpoint", id="down"),
    ],
)
def test_a_queue_that_cannot_be_reached_is_reported(
    stage: Stage, settings: dict[str, str], expected: str
) -> None:
    """An unreachable queue gives one line and exit code 1, no traceback."""
    places = {
        "endpoint": stage.server.endpoint,
        "nobody": f"http://127.0.0.1:{free_port()}",
    }
    filled = {name: value.format(**places) for name, value in settings.items()}
    with stage.consumer(**filled) as consumer:
        assert consumer.wait() == 1
    [line] = consumer.errors
    assert expected in line


def test_a_queue_that_is_deleted_ends_the_consumer(stage: Stage) -> None:
    """The consumer ends: a deleted queue does not return."""
    with stage.consumer(LOG_LEVEL="DEBUG") as consumer:
        consumer.wait_for("queue empty")
        with stage.server.sqs() as client:
            client.delete_queue(QueueUrl=stage.url)
        assert consumer.wait() == 1
    [line] = consumer.errors
    assert f"queue {stage.url} does not exist" in line


def logs_client(server: Ministack) -> CloudWatchLogsClient:
    """Build a client of MiniStack's CloudWatch Logs."""
    return boto3.client(
        "logs",
        endpoint_url=server.endpoint,
        region_name=CREDENTIALS["AWS_REGION"],
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - no secret: MiniStack checks none
    )


def test_a_log_group_gets_the_same_lines(stage: Stage) -> None:
    """CloudWatch Logs gets content, metrics and events, all but the last line."""
    client = logs_client(stage.server)
    client.create_log_group(logGroupName=stage.name)
    stage.send(CIVIC)
    with stage.consumer(LOG_GROUP=stage.name) as consumer:
        consumer.wait_for("cycle")
        assert consumer.stop() == 0
    got = client.get_log_events(logGroupName=stage.name, logStreamName="i-0123")["events"]
    client.close()
    lines: list[dict[str, Any]] = [json.loads(event["message"]) for event in got]
    assert [line["event"] for line in lines] == [
        "started",
        "message",
        "cycle",
        "stopping",
        "stopped",
    ]
    assert lines[1] == consumer.events("message")[0]


def test_a_region_under_either_name_is_enough(stage: Stage) -> None:
    """Both names work for SQS and for the logs, although boto3 itself reads only one of them."""
    client = logs_client(stage.server)
    client.create_log_group(logGroupName=stage.name)
    client.close()
    stage.send(CIVIC)
    with stage.consumer(LOG_GROUP=stage.name, AWS_DEFAULT_REGION="") as consumer:
        consumer.wait_for("cycle")
        assert consumer.stop() == 0
    assert consumer.errors == []


def test_a_missing_log_group_is_reported(stage: Stage) -> None:
    """The consumer checks this before it receives anything."""
    with stage.consumer(LOG_GROUP="nowhere") as consumer:
        assert consumer.wait() == 1
    assert consumer.errors == [
        "consumer: log group nowhere does not exist: create it, or unset LOG_GROUP"
    ]


def test_an_outage_of_cloudwatch_logs_does_not_stop_the_consumer(stage: Stage) -> None:
    """During the outage lines go to standard output, and the consumer ends in order."""
    stage.send(CIVIC)
    nobody = f"http://127.0.0.1:{free_port()}"
    with stage.consumer(LOG_GROUP="fleet", AWS_ENDPOINT_URL_CLOUDWATCH_LOGS=nobody) as consumer:
        consumer.wait_for("cycle")
        assert consumer.stop() == 0
    assert outcomes(consumer) == [("processed", 1)]
    assert consumer.events("CloudWatch Logs unavailable")
    assert consumer.errors == []
    assert stage.counts() == (0, 0)


def test_a_closed_standard_output_ends_the_consumer_before_it_deletes(stage: Stage) -> None:
    """A message whose line cannot be written stays in the queue."""
    stage.send(CIVIC)
    with subprocess.Popen(
        [sys.executable, "-m", "consumer"],
        env={**stage.server.environment, "QUEUE_URL": stage.url, "RECEIVE_WAIT_SECONDS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        process.stdout.close()
        process.stdout = None
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert errors == "consumer: cannot write to standard output: Broken pipe\n"
    assert sum(stage.counts()) == 1
