"""Tests of the sink that is CloudWatch Logs, against moto in this process."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import boto3
import pytest
import watchtower
from botocore.stub import Stubber
from moto import mock_aws
from support.emulators.ministack import CREDENTIALS, free_port
from support.fakes.consuming import FakeSink

from consumer.logs import cloudwatch
from consumer.logs.cloudwatch import LogGroupError, Tee

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_logs import CloudWatchLogsClient


pytestmark = pytest.mark.impure  # every test builds AWS clients, which takes long


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what boto3 needs in any case."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def logs() -> Iterator[CloudWatchLogsClient]:
    """Provide a client of a CloudWatch Logs that has one group."""
    with mock_aws():
        client = boto3.client("logs")
        client.create_log_group(logGroupName="/fleet")
        yield client
        client.close()


def send(lines: list[bytes], stream: str = "i-0123") -> None:
    """Write lines and wait until they are sent."""
    sink = cloudwatch.connect("/fleet", stream)
    sink.write(lines)
    sink.close()


def sent(logs: CloudWatchLogsClient, stream: str = "i-0123") -> list[str]:
    """Return what the stream holds."""
    answer = logs.get_log_events(logGroupName="/fleet", logStreamName=stream, startFromHead=True)
    return [event["message"] for event in answer["events"]]


def test_lines_arrive_as_they_are(logs: CloudWatchLogsClient) -> None:
    """Each line becomes one event, in order, so that Logs Insights finds its fields."""
    lines = [json.dumps({"event": "message", "body": {"n": n}}).encode() for n in range(3)]
    send(lines)
    assert sent(logs) == [line.decode() for line in lines]


def test_a_stream_that_exists_is_continued(logs: CloudWatchLogsClient) -> None:
    """A restarted consumer on the same instance continues its stream."""
    send([b"one"])
    send([b"two"])
    assert sent(logs) == ["one", "two"]


def test_a_handler_that_shuts_logging_down_loses_no_line(logs: CloudWatchLogsClient) -> None:
    """`logging.shutdown` closes every handler there is, all but this one."""
    sink = cloudwatch.connect("/fleet", "i-0123")
    sink.write([b"one"])
    logging.shutdown()
    sink.write([b"two"])
    sink.close()
    assert sent(logs) == ["one", "two"]


def test_a_streams_name_is_no_format_string(logs: CloudWatchLogsClient) -> None:
    """Braces in the name of a stream stay as they are."""
    send([b"one"], "i-{0}")
    assert sent(logs, "i-{0}") == ["one"]


def test_an_event_that_is_too_large_is_cut(logs: CloudWatchLogsClient) -> None:
    """A message may be as large as an event, so its line may be larger."""
    with pytest.warns(watchtower.WatchtowerWarning, match="truncated"):
        send([b"x" * 1_048_576])
    [event] = sent(logs)
    assert len(event) + 26 <= 1_048_576


@pytest.mark.usefixtures("logs")
def test_a_missing_group_is_reported() -> None:
    """A misspelt name of a group ends the consumer with an error."""
    with pytest.raises(LogGroupError) as raised:
        cloudwatch.connect("/flet", "i-0123")
    assert str(raised.value) == "log group /flet does not exist: create it, or unset LOG_GROUP"


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidParameterException"])
def test_a_refusal_is_reported_in_the_services_own_words(
    logs: CloudWatchLogsClient, code: str
) -> None:
    """A refusal for lack of permission ends the consumer: a retry would not help."""
    with Stubber(logs) as stubber:
        stubber.add_client_error("create_log_stream", code, "no")
        with pytest.raises(LogGroupError) as raised:
            cloudwatch._ensure_stream(logs, "/fleet", "i-0123")
    assert str(raised.value) == f"log group /fleet cannot be used: {code} no"


@pytest.mark.parametrize(
    ("code", "status"), [("ThrottlingException", 400), ("ServiceUnavailableException", 503)]
)
def test_a_service_that_throttles_is_only_a_warning(
    logs: CloudWatchLogsClient, code: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Watchtower creates the stream when it sends the first lines."""
    with Stubber(logs) as stubber:
        stubber.add_client_error("create_log_stream", code, "later", status)
        cloudwatch._ensure_stream(logs, "/fleet", "i-0123")
    assert caplog.messages == ["CloudWatch Logs unavailable"]


def test_a_missing_region_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing region ends the consumer: a retry would not help."""
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(LogGroupError, match="cannot use CloudWatch Logs: You must specify"):
        cloudwatch.connect("/fleet", "i-0123")


@pytest.mark.impure
def test_an_outage_at_the_start_is_only_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The consumer's work does not depend on its log."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    sink = cloudwatch.connect("/fleet", "i-0123")
    assert caplog.messages == ["CloudWatch Logs unavailable"]
    sink.close()


def test_several_sinks_get_the_same_lines() -> None:
    """Tee writes to standard output and to CloudWatch Logs."""
    one, other = FakeSink(), FakeSink()
    Tee(one, other).write([b"a", b"b"])
    assert one.raw == other.raw == [b"a", b"b"]
