"""Tests of the worker with the real adapter, against moto's SQS in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws
from support.builders.consumers import consumer, run
from support.emulators.ministack import CREDENTIALS
from support.fakes.consuming import CIVIC, FakeSink
from support.fakes.stopping import FakeStop

from consumer.clock import SystemClock, SystemThreads
from consumer.cycle import Rhythm
from consumer.handlers import log_only
from consumer.ports import Ports
from shared.queue_connection import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sqs import SQSClient
    from support.builders.consumers import HandlerCode

    from consumer.handlers.api import Message


pytestmark = pytest.mark.impure  # every test builds AWS clients, which takes long


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[SQSClient]:
    """Provide a client of an SQS without queues."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("sqs")
        yield client
        client.close()


def queues(sqs: SQSClient) -> tuple[str, str]:
    """Create a queue whose messages become dead letters after two receives; return both URLs."""
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
    policy = {"deadLetterTargetArn": arn["QueueArn"], "maxReceiveCount": "2"}
    url = sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": json.dumps(policy)})
    return url["QueueUrl"], dead


def work(handler: HandlerCode = log_only, polls: int = 1) -> FakeSink:
    """Let a worker poll the queue a few times."""
    sink = FakeSink()
    ports = Ports(
        connect("", "work"), sink, SystemClock(), FakeStop(stop_in_wait=polls), SystemThreads()
    )
    run(consumer(ports, handler, rhythm=Rhythm(receive_wait=0)))
    return sink


def count(sqs: SQSClient, url: str) -> tuple[str, str]:
    """Return how many messages are visible and in flight."""
    attributes = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return (
        attributes["ApproximateNumberOfMessages"],
        attributes["ApproximateNumberOfMessagesNotVisible"],
    )


def test_messages_are_taken_out_of_the_queue(sqs: SQSClient) -> None:
    """Messages are deleted, and their content is in the lines."""
    url, _ = queues(sqs)
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=CIVIC)
    sink = work()
    assert [line["body"]["model"] for line in sink.events("message")] == ["Civic"] * 3
    assert count(sqs, url) == ("0", "0")


def test_poison_reaches_the_dead_letters(sqs: SQSClient) -> None:
    """Poison reaches the dead-letter queue without delaying the message beside it."""
    url, dead = queues(sqs)
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    sqs.send_message(QueueUrl=url, MessageBody=CIVIC)
    sink = work(polls=6)
    outcomes = [(line["outcome"], line["receive_count"]) for line in sink.events("message")]
    assert sorted(outcomes) == [("invalid", 1), ("invalid", 2), ("processed", 1)]
    assert count(sqs, dead) == ("1", "0")
    assert count(sqs, url) == ("0", "0")


def test_a_failed_message_stays_hidden_for_its_delay(sqs: SQSClient) -> None:
    """A failed message is neither deleted nor received again at once."""
    url, _ = queues(sqs)
    sqs.send_message(QueueUrl=url, MessageBody=CIVIC)

    def handler(_message: Message) -> None:
        raise ConnectionError("the database is away")

    sink = work(handler, polls=2)
    assert [line["reason"] for line in sink.events("message")] == [
        "ConnectionError: the database is away"
    ]
    assert count(sqs, url) == ("0", "1")
