"""Looks at queues and log groups, over a real endpoint."""

from __future__ import annotations

import json
import time
import uuid

import pytest
from support.builders.ledger import Story
from support.emulators.ministack import CREDENTIALS, Ministack

from consumer.messages.dead_letters import MESSAGE_ID
from shared.body_digest import body_digest
from tidemill.ledger.aws import AwsRecords
from tidemill.ledger.errors import LedgerError
from tidemill.ledger.queues import QueueLook


@pytest.fixture
def aws(ministack: Ministack, monkeypatch: pytest.MonkeyPatch) -> AwsRecords:
    """Return the records of the emulator, for which credentials are in the environment."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return AwsRecords(ministack.endpoint)


@pytest.fixture
def urls(ministack: Ministack) -> tuple[str, str]:
    """Return the URLs of a work queue, which allows two receives, and of its dead letters."""
    name = f"ledger-{uuid.uuid4().hex[:8]}"
    dead = ministack.create_queue(f"{name}-dead")
    arn = f"arn:aws:sqs:eu-west-1:000000000000:{name}-dead"
    policy = {"deadLetterTargetArn": arn, "maxReceiveCount": "2"}
    return ministack.create_queue(name, {"RedrivePolicy": json.dumps(policy)}), dead


def test_the_work_queue_is_only_counted_unless_one_looks_inside(
    aws: AwsRecords, ministack: Ministack, urls: tuple[str, str]
) -> None:
    """A receive counts: after two looks inside, the messages are among the dead letters."""
    work, dead = urls
    ministack.send(work, *map(str, range(12)))

    for _ in range(3):
        assert aws.queues(work, inside=False).work == QueueLook({}, 12)
    for _ in range(2):
        found = aws.queues(work, inside=True)
        assert sorted(found.work.seen.values()) == sorted(body_digest(str(n)) for n in range(12))
        assert found.dead == QueueLook()
        assert ministack.counts(work) == (12, 0)
    aws.queues(work, inside=True)
    assert ministack.counts(dead) == (12, 0)


def test_messages_in_flight_are_hidden(
    aws: AwsRecords, ministack: Ministack, urls: tuple[str, str]
) -> None:
    """They may still be processed."""
    work, _ = urls
    ministack.send(work, "a", "b")
    with ministack.sqs() as sqs:
        sqs.receive_message(QueueUrl=work, MaxNumberOfMessages=1, VisibilityTimeout=600)

    found = aws.queues(work, inside=True).work

    assert (len(found.seen), found.hidden) == (1, 1)


def test_a_copy_of_a_rejected_message_has_its_id(
    aws: AwsRecords, ministack: Ministack, urls: tuple[str, str]
) -> None:
    """Looking at dead letters leaves them as they are; two copies are one message."""
    work, dead = urls
    with ministack.sqs() as sqs:
        for _ in range(2):
            sqs.send_message(
                QueueUrl=dead,
                MessageBody="x",
                MessageAttributes={MESSAGE_ID: {"DataType": "String", "StringValue": "original"}},
            )

    for _ in range(2):
        assert aws.queues(work, inside=False).dead == QueueLook({"original": body_digest("x")})
        assert ministack.counts(dead) == (2, 0)


def test_one_may_wait_until_the_queue_is_empty(
    aws: AwsRecords, ministack: Ministack, urls: tuple[str, str]
) -> None:
    """The wait ends when the last message is gone, or when its time is over."""
    work, _ = urls
    ministack.send(work, "a")
    pauses: list[float] = []

    aws.wait_until_empty(work, 3, pauses.append)
    assert pauses == [2, 1]

    def take_all(_seconds: float) -> None:
        ministack.take_all(work)
        pauses.clear()

    aws.wait_until_empty(work, 600, take_all)
    assert pauses == []


def test_lines_of_a_log_group_are_those_of_its_streams(
    aws: AwsRecords, ministack: Ministack
) -> None:
    """Each stream is a source of its own, in order; older lines are left out."""
    group, now = f"/ledger/{uuid.uuid4().hex[:8]}", int(time.time() * 1000)
    story = Story()
    for instance in ("i-1", "i-2"):
        story.say(instance, "started")
        story.done(instance, f"of-{instance}")
        story.say(instance, "stopped")
    with ministack.client("logs") as logs:
        logs.create_log_group(logGroupName=group)
        for instance in ("i-1", "i-2"):
            logs.create_log_stream(logGroupName=group, logStreamName=instance)
            events = [
                {"timestamp": now, "message": json.dumps(line, separators=(",", ":"))}
                for source, line in story.worker_lines
                if source == instance
            ]
            logs.put_log_events(logGroupName=group, logStreamName=instance, logEvents=events)

    record = aws.lines(group, time.time() - 60)

    assert [(run.instance, run.stopped) for run in record.runs] == [("i-1", True), ("i-2", True)]
    assert record.processed == {"of-i-1": 1, "of-i-2": 1}
    assert not any(item.deleted_early for run in record.runs for item in run.messages.values())
    assert aws.lines(group, time.time() + 60).runs == []


def test_what_is_not_there_is_said_in_one_line(aws: AwsRecords, ministack: Ministack) -> None:
    """The text is SQS's, or that of Logs."""
    with pytest.raises(LedgerError, match="NonExistentQueue"):
        aws.queues(f"{ministack.endpoint}/000000000000/absent", inside=True)
    with pytest.raises(LedgerError, match="ResourceNotFound"):
        aws.lines("/absent", 0)
