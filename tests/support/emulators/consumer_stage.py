"""Stage for consumers that run as processes of their own: queues in MiniStack, and handlers."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from support.emulators.programs import PATIENCE, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from support.emulators.ministack import Ministack
    from support.emulators.programs import Program

EITHER: Final = pytest.mark.parametrize(
    "workers", [pytest.param("0", id="threads"), pytest.param("2", id="processes")]
)
"""Runs a test with threads of the consumer, and with processes."""

QUICK: Final = {"RETRY_DELAY_SECONDS": "0.1", "RETRY_DELAY_MAX_SECONDS": "0.2"}

HANDLERS = """
import os, pathlib, time

def fail(message):
    raise ValueError(f"no {message.vehicle.make} today")

def wait_for_file(message):
    pathlib.Path("started").touch()
    print("handling")
    while not pathlib.Path("go").exists():
        time.sleep(0.01)

def never_return(message):
    print("handling")
    time.sleep(3600)

def slow(message):
    print("handling")
    time.sleep(5)

def note(message):
    with open("handled", "a") as file:
        file.write(message.vehicle.vehicle_id + "\\n")

def note_and_fail_at_first(body: dict):
    with open("handled", "a") as file:
        file.write(body["name"] + "\\n")
    attempts = pathlib.Path("handled").read_text().split().count(body["name"])
    if attempts <= body["fails"]:
        raise ValueError(body["name"])

def note_and_exit_at_first(message):
    note(message)
    if pathlib.Path("handled").read_text().count("\\n") == 1:
        os._exit(3)

def note_three_then_never_return(message):
    note(message)
    if pathlib.Path("handled").read_text().count("\\n") > 3:
        never_return(message)

def note_slowly(message):
    time.sleep(0.3)
    note(message)

def note_begin_and_wait_for_file(message):
    note(message)
    wait_for_file(message)

not_a_function = 3
"""


class Stage:
    """A queue with a dead-letter queue, and consumers that run in a directory of this test."""

    def __init__(self, server: Ministack, directory: Path, *, fifo: bool = False) -> None:
        """Create the queues; SQS moves a message to the dead letters after three receives.

        With `fifo` they are FIFO queues, which recognise a message by its body.
        """
        self.server = server
        self.directory = directory
        (directory / "fleet_handlers.py").write_text(HANDLERS)
        suffix = ".fifo" if fifo else ""
        name = f"work-{uuid.uuid4().hex[:8]}"
        kind: dict[QueueAttributeNameType, str] = (
            {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}
        )
        self.name = f"{name}{suffix}"
        self.dead_letters = server.create_queue(f"{name}-dead{suffix}", kind)
        policy = {
            "deadLetterTargetArn": f"arn:aws:sqs:eu-west-1:000000000000:{name}-dead{suffix}",
            "maxReceiveCount": "3",
        }
        self.url = server.create_queue(self.name, {"RedrivePolicy": json.dumps(policy), **kind})

    def send(self, *bodies: str) -> None:
        """Send messages."""
        self.server.send(self.url, *bodies)

    def send_to_group(self, group: str, *bodies: str) -> None:
        """Send messages of a group."""
        with self.server.sqs() as client:
            for body in bodies:
                client.send_message(QueueUrl=self.url, MessageBody=body, MessageGroupId=group)

    def counts(self) -> tuple[int, int]:
        """Return how many messages are visible and how many in flight."""
        return self.server.counts(self.url)

    def wait_until_empty(self) -> None:
        """Wait until no message is in the queue."""
        deadline = time.monotonic() + PATIENCE
        while self.counts() != (0, 0):
            assert time.monotonic() < deadline, self.counts()
            time.sleep(0.1)

    def dead(self) -> list[str]:
        """Return the dead letters, once nothing is left in the queue.

        MiniStack moves a message when the queue is received from and the delay of its last attempt
        is over.
        """
        deadline = time.monotonic() + PATIENCE
        with self.server.sqs() as client:
            while True:
                client.receive_message(QueueUrl=self.url)
                if self.counts() == (0, 0) or time.monotonic() > deadline:
                    return self.server.take_all(self.dead_letters)
                time.sleep(0.1)

    def handled(self) -> list[str]:
        """Return which vehicles the handlers `note` and its like have got, in order."""
        notes = self.directory / "handled"
        return notes.read_text().splitlines() if notes.exists() else []

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


def outcomes(program: Program) -> list[tuple[str, int]]:
    """Return outcome and receive count of every message line."""
    return [(line["outcome"], line["receive_count"]) for line in program.events("message")]


def run(stage: Stage, lines: int, workers: str, **settings: str) -> Program:
    """Run a consumer until it has written this many lines of messages, and stop it."""
    wanted = {"HANDLER": "misbehaving:act", "WORKERS": workers, **QUICK, **settings}
    with stage.consumer(**wanted) as consumer:
        consumer.wait_for("message", lines)
        assert consumer.stop() == 0
    assert len(consumer.events("started")) == len(consumer.events("stopped")) == 1
    return consumer
