"""Tests of the consumer's process: envelopes, attributes, and rejected messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.emulators.consumer_stage import outcomes
from support.examples.envelopes import NOTIFICATION, RECORD, TEST_EVENT
from support.fakes.consuming import CIVIC

if TYPE_CHECKING:
    from support.emulators.consumer_stage import Stage

pytestmark = pytest.mark.impure

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"

CODE = """
from consumer.handlers.api import Message, Reject

def shows(body: dict, message: Message):
    print(sorted(message.attributes.items()), body)

def rejects(body: dict):
    raise Reject(f"no order {body['order']} here")
"""


def send(stage: Stage, body: object, **attributes: str | bytes) -> str:
    """Send a message with attributes; return its id."""
    values: Any = {
        name: {"DataType": "Binary", "BinaryValue": value}
        if isinstance(value, bytes)
        else {"DataType": "String", "StringValue": value}
        for name, value in attributes.items()
    }
    text = body if isinstance(body, str) else json.dumps(body)
    with stage.server.sqs() as client:
        answer = client.send_message(QueueUrl=stage.url, MessageBody=text, MessageAttributes=values)
    return answer["MessageId"]


def dead(stage: Stage) -> list[dict[str, Any]]:
    """Return the dead letters with their attributes."""
    with stage.server.sqs() as client:
        client.receive_message(QueueUrl=stage.url)  # MiniStack moves messages when it is asked
        answer = client.receive_message(
            QueueUrl=stage.dead_letters, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
    return [dict(message) for message in answer.get("Messages", [])]


@pytest.mark.parametrize("workers", ["0", "1"], ids=["threads", "processes"])
def test_attributes_and_trace_reach_the_handler_and_every_line(stage: Stage, workers: str) -> None:
    """The message's own line and what its handler prints have the same trace."""
    (stage.directory / "own.py").write_text(CODE)
    send(stage, {"n": 1}, type="order", traceparent=TRACEPARENT, key=b"\x00\xff")
    with stage.consumer(HANDLER="own:shows", WORKERS=workers) as consumer:
        [line] = consumer.wait_for("message")
        assert consumer.stop() == 0
    assert line["outcome"] == "processed"
    assert line["attributes"] == {
        "key": {"base64": "AP8="},
        "traceparent": TRACEPARENT,
        "type": "order",
    }
    [output] = consumer.events("output")
    assert (line["trace_id"], output["trace_id"]) == (TRACE, TRACE)
    assert output["message_id"] == line["message_id"]
    shown = [("key", b"\x00\xff"), ("traceparent", TRACEPARENT), ("type", "order")]
    assert output["text"] == f"{shown} {{'n': 1}}"


def test_what_is_in_an_envelope_is_handled(stage: Stage) -> None:
    """With auto, a vehicle in SNS's envelope and a bare one are both processed."""
    send(stage, {**NOTIFICATION, "Message": CIVIC})
    send(stage, CIVIC)
    send(stage, TEST_EVENT)
    with stage.consumer(ENVELOPE="auto") as consumer:
        lines = consumer.wait_for("message", 3)
        assert consumer.stop() == 0
    assert sorted((line.get("envelope", ""), line["outcome"]) for line in lines) == [
        ("", "processed"),
        ("s3", "processed"),
        ("sns", "processed"),
    ]
    [wrapped] = [line for line in lines if line.get("envelope") == "sns"]
    assert wrapped["body"] == json.loads(CIVIC)
    assert wrapped["attributes"]["TopicArn"] == NOTIFICATION["TopicArn"]
    assert stage.counts() == (0, 0)


def test_a_body_without_the_envelope_that_is_expected_becomes_a_dead_letter(stage: Stage) -> None:
    """Its lines say what it is not; a record of S3 beside it reaches the handler."""
    (stage.directory / "own.py").write_text(CODE)
    send(stage, CIVIC)
    send(stage, {"Records": [RECORD]})
    with stage.consumer(ENVELOPE="s3", HANDLER="own:shows") as consumer:
        consumer.wait_for("message", 4)
        assert consumer.stop() == 0
    assert sorted(outcomes(consumer)) == [
        ("invalid", 1),
        ("invalid", 2),
        ("invalid", 3),
        ("processed", 1),
    ]
    invalid = next(line for line in consumer.events("message") if line["outcome"] == "invalid")
    assert invalid["reason"].startswith("not a notification of S3: ")
    assert stage.dead() == [CIVIC]


def test_a_rejected_message_is_a_dead_letter_at_once(stage: Stage) -> None:
    """One attempt, a copy with its reason, and the message is gone."""
    (stage.directory / "own.py").write_text(CODE)
    message_id = send(stage, {"order": 7}, type="order")
    with stage.consumer(
        HANDLER="own:rejects", DEAD_LETTER_QUEUE_URL=stage.dead_letters
    ) as consumer:
        consumer.wait_for("cycle")
        assert consumer.stop() == 0
    [line] = consumer.events("message")
    assert (line["outcome"], line["reason"]) == ("rejected", "no order 7 here")
    assert [cycle["rejected"] for cycle in consumer.events("cycle")] == [1]
    assert stage.counts() == (0, 0)
    [letter] = dead(stage)
    assert letter["Body"] == '{"order": 7}'
    values = {
        name: attribute["StringValue"] for name, attribute in letter["MessageAttributes"].items()
    }
    assert values == {
        "type": "order",
        "tidemill.message_id": message_id,
        "tidemill.reason": "no order 7 here",
    }


def test_a_rejected_message_stays_if_its_copy_cannot_be_sent(stage: Stage) -> None:
    """It is received again, an error says why, and after three receives SQS moves it itself."""
    (stage.directory / "own.py").write_text(CODE)
    send(stage, {"order": 7})
    with stage.consumer(
        HANDLER="own:rejects",
        DEAD_LETTER_QUEUE_URL=f"{stage.dead_letters}-misspelt",
        RETRY_DELAY_SECONDS="0.1",
        RETRY_DELAY_MAX_SECONDS="0.2",
    ) as consumer:
        consumer.wait_for("message", 3)
        stage.wait_until_empty()
        assert consumer.stop() == 0
    assert outcomes(consumer) == [("rejected", 1), ("rejected", 2), ("rejected", 3)]
    errors = consumer.events(
        "rejected messages not copied to the dead letters, they will be received again"
    )
    assert [line["level"] for line in errors] == ["ERROR"] * 3
    [letter] = dead(stage)
    assert "MessageAttributes" not in letter
