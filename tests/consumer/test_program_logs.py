"""Tests of the consumer's process: its lines in CloudWatch Logs and on standard output."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from support.emulators.consumer_stage import outcomes
from support.emulators.ministack import CREDENTIALS, free_port
from support.emulators.programs import PATIENCE
from support.fakes.consuming import CIVIC

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from support.emulators.consumer_stage import Stage
    from support.emulators.ministack import Ministack

pytestmark = pytest.mark.impure


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


def test_with_the_agent_as_sender_the_log_group_gets_no_content(stage: Stage) -> None:
    """Standard output has the content for the agent; all other fields and lines are the same."""
    client = logs_client(stage.server)
    client.create_log_group(logGroupName=stage.name)
    stage.send(CIVIC)
    with stage.consumer(LOG_GROUP=stage.name, MESSAGE_LOGGING="agent") as consumer:
        consumer.wait_for("cycle")
        assert consumer.stop() == 0
    got = client.get_log_events(logGroupName=stage.name, logStreamName="i-0123")["events"]
    client.close()
    lines = [json.loads(event["message"]) for event in got]
    (printed,) = consumer.events("message")
    assert printed.pop("body") == json.loads(CIVIC)
    assert lines[1] == printed
    assert lines[2] == consumer.events("cycle")[0]
    assert not [event for event in got if json.loads(CIVIC)["vehicleId"] in event["message"]]


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
