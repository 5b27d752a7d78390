"""Tests of the consumer's process: its lines in CloudWatch Logs and on standard output."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from support.emulators.consumer_stage import outcomes
from support.emulators.log_service import GROUP, LogService, Mood, log_service
from support.emulators.ministack import CREDENTIALS
from support.emulators.programs import PATIENCE
from support.fakes.consuming import CIVIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_logs import CloudWatchLogsClient
    from support.emulators.consumer_stage import Stage
    from support.emulators.ministack import Ministack

pytestmark = pytest.mark.impure
DOCKER_SECONDS: Final = 10
"""Time that `docker stop` gives a program."""


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
    with stage.consumer(LOG_GROUP=stage.name, DRAIN_SECONDS="30") as consumer:
        consumer.wait_for("cycle")
        assert consumer.stop() == 0
    got = client.get_log_events(logGroupName=stage.name, logStreamName="i-0123")["events"]
    client.close()
    lines: list[dict[str, Any]] = [json.loads(event["message"]) for event in got]
    assert [line["event"] for line in lines] == [
        "started",
        "message",
        "messages deleted",
        "cycle",
        "stopping",
        "stopped",
    ]
    assert lines[1] == consumer.events("message")[0]


def test_with_the_agent_as_sender_the_log_group_gets_no_content(stage: Stage) -> None:
    """Standard output has the content for the agent; all other fields and lines are the same."""
    client = logs_client(stage.server)
    client.create_log_group(logGroupName=stage.name)
    stage.send(CIVIC)
    with stage.consumer(
        LOG_GROUP=stage.name, MESSAGE_LOGGING="agent", DRAIN_SECONDS="30"
    ) as consumer:
        consumer.wait_for("cycle")
        assert consumer.stop() == 0
    got = client.get_log_events(logGroupName=stage.name, logStreamName="i-0123")["events"]
    client.close()
    lines = [json.loads(event["message"]) for event in got]
    (printed,) = consumer.events("message")
    assert printed.pop("body") == json.loads(CIVIC)
    assert lines[1] == printed
    assert lines[3] == consumer.events("cycle")[0]
    assert not [event for event in got if json.loads(CIVIC)["vehicleId"] in event["message"]]


def test_a_region_under_either_name_is_enough(stage: Stage) -> None:
    """Both names work for SQS and for the logs, although boto3 itself reads only one of them."""
    client = logs_client(stage.server)
    client.create_log_group(logGroupName=stage.name)
    client.close()
    stage.send(CIVIC)
    with stage.consumer(
        LOG_GROUP=stage.name, AWS_DEFAULT_REGION="", DRAIN_SECONDS="30"
    ) as consumer:
        consumer.wait_for("cycle")
        assert consumer.stop() == 0
    assert consumer.errors == []


@pytest.fixture
def service() -> Iterator[LogService]:
    """Provide a CloudWatch Logs that misbehaves when it is told to."""
    with log_service() as service:
        yield service


@pytest.mark.parametrize("mood", [Mood.NO_GROUP, Mood.DENIED])
def test_a_group_that_cannot_be_used_is_told_and_used_later(
    stage: Stage, service: LogService, mood: Mood
) -> None:
    """Work goes on meanwhile, and no line is missing afterwards."""
    service.mood = mood
    stage.send(CIVIC)
    with stage.consumer(**service.environment) as consumer:
        (told, *_) = consumer.wait_for("CloudWatch Logs unavailable")
        assert told["level"] == "ERROR"
        assert GROUP in told["reason"]
        consumer.wait_for("cycle")
        service.mood = Mood.WELL
        consumer.wait_for("CloudWatch Logs available again")
        assert consumer.stop() == 0
    assert outcomes(consumer) == [("processed", 1)]
    assert service.lines == consumer.lines


def test_lines_of_an_outage_arrive_once_and_in_order(stage: Stage, service: LogService) -> None:
    """All messages are processed in the outage; standard output has the same lines."""
    with stage.consumer(**service.environment) as consumer:
        service.wait_for_lines("started")
        service.mood = Mood.THROTTLED
        stage.send(*[CIVIC] * 30)
        consumer.wait_for("message", 30)
        stage.wait_until_empty()
        consumer.wait_for("CloudWatch Logs unavailable")
        assert not [line for line in service.lines if line["event"] == "message"]
        service.mood = Mood.WELL
        consumer.wait_for("CloudWatch Logs available again")
        assert consumer.stop() == 0
    assert service.lines == consumer.lines
    assert consumer.errors == []


def test_lines_beyond_the_buffer_are_counted_in_their_place(
    stage: Stage, service: LogService
) -> None:
    """What arrived and what was dropped is all that was written; the cycle's line has it, too."""
    service.mood = Mood.UNAVAILABLE
    (stage.directory / "talking.py").write_text(TALKING)
    stage.send(*[CIVIC] * 10)
    settings = {"HANDLER": "talking:handle", "LOG_BUFFER_MIB": "2", "WORKERS": "0"}
    with stage.consumer(**settings, **service.environment) as consumer:
        consumer.wait_for("log lines dropped from now on")
        consumer.wait_for("message", 10)
        consumer.wait_for("cycle")
        service.mood = Mood.WELL
        consumer.wait_for("log lines dropped")
        assert consumer.stop() == 0
    (gap,) = consumer.events("log lines dropped")
    in_cycles = sum(line.get("log_lines_dropped", 0) for line in consumer.events("cycle"))
    assert 0 < in_cycles <= gap["LogLinesDropped"]
    printed, sent = (list(map(json.dumps, of.lines)) for of in (consumer, service))
    assert len(printed) == len(sent) + gap["LogLinesDropped"]
    arrived = set(sent)
    assert [line for line in printed if line in arrived] == sent
    assert consumer.errors == []


def test_a_service_that_hangs_does_not_delay_the_end(stage: Stage, service: LogService) -> None:
    """Lines that were not sent are counted on standard output."""
    service.mood = Mood.HANGING
    stage.send(CIVIC)
    with stage.consumer(**service.environment) as consumer:
        consumer.wait_for("cycle")
        assert consumer.stop() == 0
    (last,) = consumer.events("log lines not sent")
    written = [line for line in consumer.lines if line != last]
    assert consumer.lines[-1] == last
    assert last["lines"] == len(written)
    began, ended = (datetime.fromisoformat(line["time"]) for line in consumer.lines[-2:])
    assert (ended - began).total_seconds() < DOCKER_SECONDS
    assert stage.counts() == (0, 0)


TALKING = """
def handle(message):
    for number in range(500):
        print(f"{number} " + "x" * 1000)
"""

TAKING_OVER = """
import logging.config, os, sys

logging.config.dictConfig({"version": 1})

def handle(message):
    logging.config.dictConfig({"version": 1})
    logging.disable(logging.CRITICAL)
    logging.shutdown()
    logging.getLogger().handlers.clear()
    logging.getLogger("mine").warning("%d", "no number")
    print("no newline", end="")
    os.write(1, b"nor here")
    sys.stdout.close()
    os.close(1)
"""


@pytest.mark.parametrize("workers", ["0", "1"], ids=["threads", "processes"])
def test_a_handler_that_takes_logging_over_silences_no_line(stage: Stage, workers: str) -> None:
    """Whatever it configures or closes, both CloudWatch Logs and standard output get each line."""
    (stage.directory / "taking_over.py").write_text(TAKING_OVER)
    client = logs_client(stage.server)
    client.create_log_group(logGroupName=stage.name)
    stage.send(CIVIC, CIVIC)
    settings = {"LOG_GROUP": stage.name, "HANDLER": "taking_over:handle", "WORKERS": workers}
    with stage.consumer(**settings) as consumer:
        consumer.wait_for("message", 2)
        consumer.wait_for("cycle")
        assert consumer.stop() == 0
    got = client.get_log_events(logGroupName=stage.name, logStreamName="i-0123")["events"]
    client.close()
    expected = ["started", "message", "message", "cycle", "stopping", "stopped"]
    ours = {*expected}
    printed = [line["event"] for line in consumer.lines if line["event"] in ours]
    assert printed == expected
    sent = [json.loads(event["message"])["event"] for event in got]
    assert [event for event in sent if event in ours] == expected
    texts = [line["text"] for line in consumer.events("output")]
    assert "no newline" in texts
    assert "nor here" in texts or "nor here" in "".join(consumer.errors)


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
