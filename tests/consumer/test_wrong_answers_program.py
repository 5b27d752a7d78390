"""Tests of `python -m consumer` at an endpoint of SQS that answers wrongly."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.consumer_stage import HANDLERS
from support.emulators.ministack import CREDENTIALS, without_aws
from support.emulators.programs import running
from support.emulators.wrong_server import a_message, refuse, right_answer, say, wrong_server
from support.fakes.consuming import CIVIC

from shared.sqs.answers import md5_of

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.wrong_server import Behaviour, Call, WrongServer

pytestmark = pytest.mark.impure

HTML: Final = "<html>Please log in</html>"


class Queue:
    """A queue of this test's own, whose endpoint answers wrongly when it is told to.

    `wrong` has the behaviours of the next calls by operation; a call that has none gets a right
    answer. `in_hand` are the receipts that were delivered and neither deleted nor returned.
    """

    def __init__(self, messages: int) -> None:
        """Start with so many messages."""
        self.left = [str(number) for number in range(messages)]
        self.in_hand: set[str] = set()
        self.deleted: set[str] = set()
        self.wrong: dict[str, list[Behaviour]] = {}
        self._lock = threading.Lock()

    def behave(self, call: Call) -> None:
        """Answer a call."""
        with self._lock:
            wrong = self.wrong.get(call.operation)
            behaviour = wrong.pop(0) if wrong else None
        if behaviour is not None:
            behaviour(call)
            return
        with self._lock:
            answer = self._act(call)
        call.answer(200, json.dumps(answer).encode())

    def _act(self, call: Call) -> dict[str, Any]:
        receipts = {entry["ReceiptHandle"] for entry in call.parameters.get("Entries", [])}
        match call.operation:
            case "ReceiveMessage":
                most = call.parameters["MaxNumberOfMessages"]
                taken, self.left = self.left[:most], self.left[most:]
                self.in_hand |= set(taken)
                if not taken:
                    call.ended.wait(0.1)  # a long poll that is short
                return {
                    "Messages": [
                        a_message(
                            MessageId=f"id-{number}",
                            ReceiptHandle=number,
                            Body=CIVIC,
                            MD5OfBody=md5_of(CIVIC),
                        )
                        for number in taken
                    ]
                }
            case "DeleteMessageBatch":
                self.deleted |= receipts
                self.in_hand -= receipts
            case "ChangeMessageVisibilityBatch":  # too soon for a heartbeat: they are returned
                self.in_hand -= receipts
        return right_answer(call)


def settings(server: WrongServer, directory: Path, **more: str) -> dict[str, str]:
    """Return the environment of a consumer at this endpoint."""
    (directory / "fleet_handlers.py").write_text(HANDLERS)
    return {
        **without_aws(os.environ),
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": server.endpoint,
        "QUEUE_URL": server.queue_url,
        "POLL_WAIT_SECONDS": "0",
        "RECEIVE_WAIT_SECONDS": "1",
        "WORKERS": "0",
        "INSTANCE_ID": "i-0123",
        **more,
    }


def test_throttling_at_the_start_does_not_end_the_consumer(tmp_path: Path) -> None:
    """The boot script would power the instance off; it works as soon as SQS answers."""
    queue = Queue(3)
    queue.wrong["ReceiveMessage"] = [
        *[refuse("ThrottlingException"), refuse("KmsThrottled"), refuse("OverLimit", 403)],
        *[say(503, HTML), say(200, HTML), say(200, "null")],
    ]
    with (
        wrong_server(queue.behave) as server,
        running("consumer", settings(server, tmp_path), tmp_path) as consumer,
    ):
        consumer.wait_for("message", 3)
        assert consumer.stop() == 0
    assert len(queue.deleted) == 3
    assert consumer.events("queue unavailable")


def test_throttling_of_the_search_for_a_queue_does_not_end_the_consumer(tmp_path: Path) -> None:
    """A consumer that knows only its queue's name asks for the URL first."""
    queue = Queue(1)
    queue.wrong["GetQueueUrl"] = [refuse("ThrottlingException"), say(408, "")]
    with wrong_server(queue.behave) as server:
        given = settings(server, tmp_path, QUEUE_URL="", QUEUE_NAME="work")
        with running("consumer", given, tmp_path) as consumer:
            consumer.wait_for("message")
            assert consumer.stop() == 0


def test_a_signal_ends_the_search_for_a_queue(tmp_path: Path) -> None:
    """A request that hangs at the start is not waited for."""

    def hang(call: Call) -> None:
        call.ended.wait(60)

    with wrong_server(hang) as server:
        given = settings(server, tmp_path, QUEUE_URL="", QUEUE_NAME="work")
        with running("consumer", given, tmp_path) as consumer:
            while not server.calls:
                threading.Event().wait(0.05)
            assert consumer.stop() == 0
        assert consumer.events("stopped")


@pytest.mark.parametrize(
    ("operation", "blips"),
    [
        ("ReceiveMessage", [say(408, ""), say(200, HTML), refuse("ExpiredToken", 403)]),
        ("DeleteMessageBatch", [say(301, "", "Location: /"), say(200, ""), say(200, "null")]),
    ],
    ids=["receive", "delete"],
)
def test_blips_end_nothing_and_lose_nothing(
    tmp_path: Path, operation: str, blips: list[Behaviour]
) -> None:
    """A wrong answer now and then, to a receive or a delete, costs time and no message."""
    queue = Queue(4)
    with (
        wrong_server(queue.behave) as server,
        running("consumer", settings(server, tmp_path), tmp_path) as consumer,
    ):
        consumer.wait_for("message")
        queue.wrong[operation] = list(blips)
        queue.left += [str(number) for number in range(4, 8)]
        consumer.wait_for("message", 8)
        assert consumer.stop() == 0


def test_a_call_that_is_refused_ends_the_consumer_with_nothing_in_hand(tmp_path: Path) -> None:
    """No permission for a further receive: what was received is done or returned first."""
    queue = Queue(10)
    with wrong_server(queue.behave) as server:
        given = settings(
            server, tmp_path, HANDLER="fleet_handlers:wait_for_file", MESSAGE_SECONDS="1"
        )
        with running("consumer", given, tmp_path) as consumer:
            while not (tmp_path / "started").exists():
                threading.Event().wait(0.05)
            queue.wrong["ReceiveMessage"] = [refuse("AccessDenied", 403)]
            assert consumer.wait() == 1
    assert queue.in_hand == set()
    assert [line for line in consumer.errors if "not allowed on queue" in line]


def test_deletes_that_are_refused_end_the_consumer_and_the_others_go_back(tmp_path: Path) -> None:
    """What was processed and cannot be deleted is named; nothing else stays hidden."""
    queue = Queue(20)
    queue.wrong["DeleteMessageBatch"] = [refuse("AccessDenied", 403)] * 200
    with wrong_server(queue.behave) as server:
        given = settings(server, tmp_path, HANDLER="fleet_handlers:note_slowly")
        with running("consumer", given, tmp_path) as consumer:
            assert consumer.wait() == 1
    refused = consumer.events("messages not deleted, they will be received again")
    named = {one for line in refused for one in line["message_ids"]}
    processed = [line["message_id"] for line in consumer.events("message")]
    assert named == set(processed)
    assert len(queue.in_hand) == len(named)
    assert [line for line in consumer.errors if "not allowed on queue" in line]


def test_a_password_in_a_queues_url_is_in_no_line(tmp_path: Path) -> None:
    """Not in the line of the settings, and not in an error of a call."""
    queue = Queue(0)
    with wrong_server(queue.behave) as server:
        secret = server.queue_url.replace("//", "//user:hunter2@")
        given = settings(
            server,
            tmp_path,
            QUEUE_URL=secret,
            DEAD_LETTER_QUEUE_URL=f"{secret}-dead",
            LOG_LEVEL="DEBUG",
        )
        with running("consumer", given, tmp_path) as consumer:
            [started] = consumer.wait_for("started")
            consumer.wait_for("queue empty")
            queue.wrong["ReceiveMessage"] = [refuse("QueueDoesNotExist")]
            assert consumer.wait() == 1
    assert started["queue_url"].startswith("http://***@127.0.0.1:")
    shown = [json.dumps(consumer.lines), *consumer.errors]
    assert not [text for text in shown if "hunter2" in text]
    assert [text for text in consumer.errors if "//***@127.0.0.1" in text]
