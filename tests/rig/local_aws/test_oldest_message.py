"""The age of the oldest message at local endpoints: one that lists messages, one that does not."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from support.builders.alarms import an_alarm
from support.builders.fleets import a_fleet
from support.emulators.sam import localstack_emulator
from support.emulators.serving import served

from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.clients import LocalClients
from tidemill.rig.local_aws.oldest_message import MESSAGES, NOT_KNOWN, OldestMessage
from tidemill.scaling.metrics.queue import AGE, queue_metric
from tidemill.scaling.spec import MetricQuery, MetricStat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.emulators.ministack import Ministack

    from tidemill.scaling.spec import Fleet

NOON = 1_795_700_000.0


def by_age() -> Fleet:
    """Return a fleet with an alarm on the age of the oldest message."""
    metric = MetricStat(queue_metric("jobs", AGE), 60, "Maximum")
    return a_fleet(alarms=(an_alarm(queries=(MetricQuery("age", metric),), returned="age"),))


def a_message(sent: float, receives: int = 0) -> dict[str, Any]:
    """Return a message as LocalStack 4.14 lists it, without the fields that are not read."""
    attributes = {"SentTimestamp": int(sent * 1000), "ApproximateReceiveCount": receives}
    listed = [{"Name": name, "Value": str(value)} for name, value in attributes.items()]
    return {"Body": "x", "Attribute": listed, "ReceiptHandle": "SQS/BACKDOOR/ACCESS"}


@contextmanager
def listing(result: object) -> Iterator[tuple[str, list[str]]]:
    """Serve a result of the list; yield the URL, and the paths that are asked for."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer with the result."""
            asked.append(self.path)
            body = json.dumps({"ReceiveMessageResponse": {"ReceiveMessageResult": result}})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Log nothing."""

    with served(HTTPServer(("127.0.0.1", 0), Answer)) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked


@pytest.mark.impure
@pytest.mark.parametrize(
    ("result", "age"),
    [
        pytest.param(None, None, id="empty"),
        pytest.param({"Message": a_message(NOON - 3.5)}, 70, id="one"),
        pytest.param({"Message": [a_message(NOON - 3), a_message(NOON - 9, 2)]}, 180, id="two"),
        pytest.param({"Message": [a_message(NOON - 3), a_message(NOON - 9, 3)]}, 60, id="poison"),
        pytest.param({"Message": [a_message(NOON - 9, 3)]}, None, id="only-poison"),
        pytest.param({"Message": a_message(NOON + 1)}, 0, id="clocks-differ"),
    ],
)
def test_the_age_is_in_aws_s_time_and_counts_as_sqs_does(result: object, age: int | None) -> None:
    """At 20 times the speed, a message of three wall-clock seconds is a minute old."""
    with listing(result) as (url, asked):
        oldest = OldestMessage(
            by_age(), LocalClients(url), "http://sqs/000000000000/jobs", 20.0, lambda: NOON
        )
        assert oldest.age() == age
        assert oldest.not_known == ()
    assert [path.partition("?")[0] for path in asked] == [MESSAGES]
    assert "ShowInvisible=true" in asked[0]


@pytest.mark.impure
def test_the_list_is_read_once_a_second_and_the_age_still_grows() -> None:
    """It has every message of the queue, and a rig takes several turns in a second."""
    clock = [NOON]
    with listing({"Message": a_message(NOON - 1)}) as (url, asked):
        oldest = OldestMessage(
            by_age(), LocalClients(url), "http://sqs/0/jobs", 10.0, lambda: clock[0]
        )
        ages = []
        for seconds in (0.0, 0.5, 0.9, 1.0):
            clock[0] = NOON + seconds
            ages.append(oldest.age())
    assert ages == [10, 15, 19, 20]
    assert len(asked) == 2


@pytest.mark.impure
def test_a_fleet_without_an_alarm_on_the_age_asks_for_nothing() -> None:
    """The list would cost time for nothing."""
    with listing(None) as (url, asked):
        oldest = OldestMessage(a_fleet(), LocalClients(url), "http://sqs/0/jobs", 1.0)
        assert (oldest.age(), oldest.not_known, asked) == (None, (), [])


@pytest.mark.impure
def test_an_endpoint_without_the_list_is_reported_once(ministack: Ministack) -> None:
    """MiniStack has none: the timeline says so, and the alarm has no datapoints."""
    clients = LocalClients(ministack.endpoint)
    url = clients.sqs.create_queue(QueueName="not-listed")["QueueUrl"]
    oldest = OldestMessage(by_age(), clients, url, 1.0)
    assert (oldest.not_known, oldest.age()) == ((NOT_KNOWN,), None)


@pytest.mark.impure
def test_an_endpoint_that_is_gone_is_an_error_as_for_every_other_call() -> None:
    """A rig whose local AWS has ended ends itself."""
    with listing(None) as (url, _):
        oldest = OldestMessage(
            by_age(), LocalClients(url), "http://sqs/0/jobs", 1.0, iter([0.0, 9.0]).__next__
        )
    with pytest.raises(RigError, match="the local AWS does not list messages"):
        oldest.age()


@pytest.mark.impure
@pytest.mark.long
def test_localstack_lists_messages_in_this_form(tmp_path: Path) -> None:
    """Visible messages and those in flight count, and none is received by being listed."""
    with localstack_emulator(tmp_path) as emulator:
        clients = LocalClients(emulator.endpoint)
        sqs = clients.sqs
        url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
        clock = [0.0]
        oldest = OldestMessage(by_age(), clients, url, 1.0, lambda: clock[0])
        assert (oldest.age(), oldest.not_known) == (None, ())
        sqs.send_message(QueueUrl=url, MessageBody="first")
        received = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])
        (first,) = received["Messages"]
        sent = int(first["Attributes"]["SentTimestamp"]) / 1000
        clock[0] = sent + 30
        assert oldest.age() == 30
        sqs.send_message(QueueUrl=url, MessageBody="second")
        sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
        clock[0] = sent + 60
        assert 0 < (oldest.age() or 0) <= 60
        left = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
        assert [one["Attributes"]["ApproximateReceiveCount"] for one in left] == ["1"]
