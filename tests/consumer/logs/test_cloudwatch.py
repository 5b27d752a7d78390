"""Tests of the sink that is CloudWatch Logs: against moto in this process, and over a socket."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Final

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from moto import mock_aws
from support.emulators.log_service import GROUP, LogService, Mood, log_service
from support.emulators.ministack import CREDENTIALS, free_port, local_client
from support.emulators.programs import PATIENCE
from support.fakes.consuming import FakeSink

from consumer.logs import cloudwatch
from consumer.logs.backlog import Event
from consumer.logs.cloudwatch import (
    CloudWatchLines,
    LogGroupError,
    Tee,
    WatchtowerStream,
    refused_events,
)
from consumer.logs.counts import MetricLabels
from consumer.logs.delivery import DeliveryError, LinesRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_logs import CloudWatchLogsClient


pytestmark = pytest.mark.impure  # every test builds AWS clients, which takes long

LABELS: Final = MetricLabels("Tidemill", "work", "i-0123")


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


@pytest.fixture
def service() -> Iterator[LogService]:
    """Provide a CloudWatch Logs over a socket."""
    with log_service() as service:
        yield service


def stream_at(endpoint: str) -> WatchtowerStream:
    """Return a stream whose calls are made once, as those of the consumer are."""
    once = Config(retries={"mode": "standard", "total_max_attempts": 1})
    return WatchtowerStream(local_client("logs", endpoint, config=once), GROUP, "i-0123")


def connect(group: str = "/fleet", stream: str = "i-0123") -> CloudWatchLines:
    """Return a sink for this stream."""
    return cloudwatch.connect(group, stream, 2**22, FakeSink(), LABELS)


def send(lines: list[bytes], stream: str = "i-0123") -> None:
    """Write lines and wait until they are sent."""
    sink = connect(stream=stream)
    sink.write(lines)
    sink.close(PATIENCE)


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
    sink = connect()
    sink.write([b"one"])
    logging.shutdown()
    sink.write([b"two"])
    sink.close(PATIENCE)
    assert sent(logs) == ["one", "two"]


def test_a_streams_name_is_no_format_string(logs: CloudWatchLogsClient) -> None:
    """Braces in the name of a stream stay as they are."""
    send([b"one"], "i-{0}")
    assert sent(logs, "i-{0}") == ["one"]


def test_a_line_that_is_too_large_is_shortened(logs: CloudWatchLogsClient) -> None:
    """A message may be as large as an event, so its line may be larger."""
    send([b"x" * 1_048_576])
    [event] = sent(logs)
    assert json.loads(event)["bytes"] == 1_048_576


def test_a_missing_region_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing region ends the consumer: a retry would not help."""
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(LogGroupError, match="cannot use CloudWatch Logs: You must specify"):
        connect()


def test_events_that_are_refused_are_counted(logs: CloudWatchLogsClient) -> None:
    """The service takes the rest of the batch, and says so in its answer."""
    stream = WatchtowerStream(logs, "/fleet", "i-0123")
    with Stubber(logs) as stubber:
        stubber.add_response("create_log_stream", {})
        info = {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1}}
        stubber.add_response("put_log_events", info)
        assert stream.put([Event(time.time(), b"a"), Event(time.time(), b"b")]) == 1


@pytest.mark.parametrize(
    ("info", "refused"),
    [
        ({}, 0),
        ({"tooOldLogEventEndIndex": 2}, 2),
        ({"expiredLogEventEndIndex": 3, "tooOldLogEventEndIndex": 2}, 3),
        ({"tooNewLogEventStartIndex": 4}, 6),
        ({"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 9}, 2),
    ],
)
def test_an_answer_says_how_many_were_refused(info: dict[str, int], refused: int) -> None:
    """The indexes are of events in order of time: an end is exclusive, the start is inclusive."""
    assert refused_events({"rejectedLogEventsInfo": info}, 10) == refused


@pytest.mark.parametrize("mood", [mood for mood in Mood if mood not in {Mood.WELL, Mood.HANGING}])
def test_what_was_not_taken_can_be_sent_again(mood: Mood, service: LogService) -> None:
    """Every trouble is an error of ours, and the same stream works again afterwards."""
    stream = stream_at(service.endpoint)
    service.mood = mood
    with pytest.raises(DeliveryError) as raised:
        stream.put([Event(time.time(), b'{"event":"a"}')])
    assert str(raised.value)
    assert raised.value.for_people is (mood in {Mood.DENIED, Mood.NO_GROUP})
    service.mood = Mood.WELL
    assert stream.put([Event(time.time(), b'{"event":"b"}')]) == 0
    assert [line["event"] for line in service.lines][-1] == "b"


def test_a_trouble_with_lines_is_one_as_well(service: LogService) -> None:
    """The stream may exist already when the trouble begins."""
    stream = stream_at(service.endpoint)
    stream.put([Event(time.time(), b'{"event":"a"}')])
    wrong = (Mood.HTML, Mood.NULL, Mood.LIST, Mood.ANSWER_LOST)
    for mood in (Mood.THROTTLED, Mood.DENIED, *wrong):
        service.mood = mood
        with pytest.raises(DeliveryError):
            stream.put([Event(time.time(), b'{"event":"b"}')])


def test_a_port_at_which_nobody_answers_is_an_outage() -> None:
    """No connection can be made."""
    stream = stream_at(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(DeliveryError, match="Could not connect") as raised:
        stream.put([Event(time.time(), b"a")])
    assert not raised.value.for_people


def test_a_missing_group_is_told(service: LogService) -> None:
    """People may create it later, so lines wait."""
    stream = stream_at(service.endpoint)
    service.mood = Mood.NO_GROUP
    with pytest.raises(DeliveryError) as raised:
        stream.put([Event(time.time(), b"a")])
    assert str(raised.value) == (
        "log group /fleet/workers does not exist: create it, or unset LOG_GROUP"
    )


def test_a_stream_that_is_deleted_is_created_again(logs: CloudWatchLogsClient) -> None:
    """People may delete it while a consumer runs."""
    stream = WatchtowerStream(logs, "/fleet", "i-0123")
    stream.put([Event(time.time(), b"a")])
    logs.delete_log_stream(logGroupName="/fleet", logStreamName="i-0123")
    with pytest.raises(DeliveryError, match="log stream i-0123 is gone"):
        stream.put([Event(time.time(), b"b")])
    stream.put([Event(time.time(), b"b")])
    assert sent(logs) == ["b"]


def test_a_batch_that_is_never_taken_is_an_error_of_its_own(logs: CloudWatchLogsClient) -> None:
    """Smaller batches show which line it is."""
    stream = WatchtowerStream(logs, "/fleet", "i-0123")
    with Stubber(logs) as stubber:
        stubber.add_response("create_log_stream", {})
        stubber.add_client_error("put_log_events", "InvalidParameterException", "no")
        with pytest.raises(LinesRefusedError, match="InvalidParameterException no"):
            stream.put([Event(time.time(), b"a")])


def test_a_stream_that_cannot_be_is_no_fault_of_a_batch(logs: CloudWatchLogsClient) -> None:
    """No line is given up because the setting LOG_STREAM has a colon."""
    stream = WatchtowerStream(logs, "/fleet", "i:0123")
    with Stubber(logs) as stubber:
        stubber.add_client_error("create_log_stream", "InvalidParameterException", "no")
        with pytest.raises(DeliveryError) as raised:
            stream.put([Event(time.time(), b"a")])
    assert str(raised.value) == ("log group /fleet cannot be used: InvalidParameterException no")


def test_an_end_with_a_hanging_service_keeps_its_limit(
    service: LogService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was not sent is counted; one line is under way, and one behind it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", service.endpoint)
    service.mood = Mood.HANGING
    sink = connect(GROUP)
    sink.write([b"a"])
    service.wait_for(lambda: service.calls(Mood.HANGING))
    sink.write([b"b"])
    began = time.monotonic()
    sink.close(0.2)
    assert 0.2 <= time.monotonic() - began < 5
    (record,) = caplog.records
    assert record.getMessage() == "log lines not sent"
    assert vars(record)["fields"] == {"lines": 2, "lines_dropped": 0}


def test_lines_after_the_end_are_not_sent(logs: CloudWatchLogsClient) -> None:
    """They are on standard output."""
    sink = connect()
    sink.write([b"one"])
    sink.close(PATIENCE)
    sink.write([b"two"])
    sink.close(PATIENCE)
    assert sent(logs) == ["one"]


def test_several_sinks_get_the_same_lines() -> None:
    """Tee writes to standard output and to CloudWatch Logs."""
    one, other = FakeSink(), FakeSink()
    Tee(one, other).write([b"a", b"b"])
    assert one.raw == other.raw == [b"a", b"b"]
