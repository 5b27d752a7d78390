"""Queue probe: message counts and ids, over a real endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tidemill.ledger.queues import Queues
from tidemill.rig.local_aws.clients import LocalClients
from tidemill.rig.local_aws.queue_probe import QueueProbe
from tidemill.scaling.metrics.queue import QueueSample

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from support.emulators.ministack import Ministack


@pytest.fixture
def sqs(ministack: Ministack) -> SQSClient:
    """Return a client like the rig's."""
    return LocalClients(ministack.endpoint).sqs


def send(sqs: SQSClient, url: str, count: int) -> set[str]:
    """Send messages and return their ids."""
    return {
        sqs.send_message(QueueUrl=url, MessageBody=str(number))["MessageId"]
        for number in range(count)
    }


def test_a_sample_has_the_visible_in_flight_and_delayed_messages(sqs: SQSClient) -> None:
    """The sample also has the age of the oldest message, and whether a consumer polls."""
    url = sqs.create_queue(QueueName="sampled")["QueueUrl"]
    polled = [False]
    probe = QueueProbe(sqs, url, None, lambda: polled[0], lambda: 7)
    assert probe.sample() == QueueSample(0, 0, oldest_age=7)
    send(sqs, url, 3)
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=900)
    sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)
    polled[0] = True
    assert probe.sample() == QueueSample(2, 1, 1, accessed=True, oldest_age=7)
    assert probe.latest == QueueSample(2, 1, 1, accessed=True, oldest_age=7)


def test_what_is_left_is_given_back(sqs: SQSClient) -> None:
    """All messages are found, in more than one batch, and are visible again afterwards."""
    url = sqs.create_queue(QueueName="left-over")["QueueUrl"]
    dead = sqs.create_queue(QueueName="left-over-dead")["QueueUrl"]
    probe = QueueProbe(sqs, url, dead, lambda: False, lambda: None)
    assert probe.left_over() == Queues()
    waiting, dead_letters = send(sqs, url, 23), send(sqs, dead, 2)
    for _ in range(2):
        found = probe.left_over()
        assert set(found.work.seen) == waiting
        assert set(found.dead.seen) == dead_letters
        assert (found.work.hidden, found.dead.hidden) == (0, 0)
        assert probe.sample() == QueueSample(23, 0)
        assert probe.dead_letters() == 2


def test_without_a_dead_letter_queue_there_are_no_dead_letters(sqs: SQSClient) -> None:
    """They are neither counted nor searched."""
    url = sqs.create_queue(QueueName="alone")["QueueUrl"]
    probe = QueueProbe(sqs, url, None, lambda: False, lambda: None)
    assert probe.dead_letters() == 0
    assert probe.left_over() == Queues()
