"""Dead letters: their copies, edited copies, and their form in files."""

from __future__ import annotations

import json

import msgspec
import pytest
from support.builders.letters import a_letter

from producer.messages.message_maker import MessageMaker
from producer.messages.outgoing_message import OutgoingMessage
from tidemill.dead_letters.letter import edited_entry, entry_of, producer_line, record

ATTRIBUTES: dict[str, str | bytes] = {"type": "order", "amount": "4.20", "raw": b"\x00\xff"}
TYPES = {"amount": "Number", "raw": "Binary.png"}


def test_a_copy_has_everything_that_sqs_lets_a_sender_set() -> None:
    """Body, attributes with their types, group and X-Ray's header."""
    letter = a_letter(
        body="no JSON",
        group="g1",
        attributes=ATTRIBUTES,
        types=TYPES,
        system={"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"},
    )
    entry = entry_of(letter, fifo=False)
    assert (entry.body, entry.group_id) == ("no JSON", "g1")
    assert (entry.attributes, entry.attribute_types) == (ATTRIBUTES, TYPES)
    assert entry.trace_header == "Root=1-5759e988-bd862e3fe1be46a994272793"
    assert entry.deduplication_id is None


@pytest.mark.parametrize(("group", "wanted"), [("g1", "g1"), (None, "a")], ids=["own", "none"])
def test_a_copy_for_a_fifo_queue_has_the_letters_id_as_deduplication_id(
    group: str | None, wanted: str
) -> None:
    """So SQS never drops it for a message that was sent before; without a group it gets its own."""
    entry = entry_of(
        a_letter("a", group=group, system={"MessageDeduplicationId": "of the sender"}), fifo=True
    )
    assert (entry.group_id, entry.deduplication_id) == (wanted, "a")


def test_an_edited_copy_is_another_message_for_a_fifo_queue() -> None:
    """SQS would drop it, if a run that was killed had sent the letter with another body."""
    entry = entry_of(a_letter("a", group="g"), fifo=True)
    ids = {edited_entry(entry, body, {}).deduplication_id for body in ("1", "2", "2")}
    assert len(ids) == 2
    assert all(name and name.startswith("a-") for name in ids)


def test_an_edited_copy_keeps_the_attributes_that_are_not_named() -> None:
    """A new value of a number stays a number; others become texts."""
    entry = entry_of(a_letter(attributes=ATTRIBUTES, types=TYPES), fifo=False)
    changed = edited_entry(entry, "new", {"amount": "5", "more": "x"}, ("raw",))
    assert changed.attributes == {"type": "order", "amount": "5", "more": "x"}
    assert changed.attribute_types == {"amount": "Number"}
    assert edited_entry(entry, "new", {"raw": "text"}).attribute_types == {"amount": "Number"}


def test_a_rejected_copy_is_known_by_the_id_of_its_message() -> None:
    """That is the id in the consumers' lines."""
    letter = a_letter(
        "a", attributes={"tidemill.message_id": "m", "tidemill.reason": "no such order"}
    )
    assert (letter.id, letter.original_id) == ("a", "m")
    assert letter.rejected_reason == "no such order"


def test_a_record_has_all_that_sqs_knows() -> None:
    """It is JSON; binary values are base64."""
    letter = a_letter(
        attributes=ATTRIBUTES,
        types=TYPES,
        system={"DeadLetterQueueSourceArn": "arn:aws:sqs:eu-west-1:1:orders", "SenderId": "S"},
    )
    found = json.loads(json.dumps(record(letter)))
    assert (found["source"], found["senderId"], found["receiveCount"]) == ("orders", "S", 4)
    assert found["attributes"] == {
        "type": {"type": "String", "value": "order"},
        "amount": {"type": "Number", "value": "4.20"},
        "raw": {"type": "Binary.png", "base64": "AP8="},
    }


@pytest.mark.parametrize("body", ['{"a": 1.10}', '"a text"', "no JSON \u2028", '{"a":1,"a":2}'])
def test_a_line_for_the_producer_makes_the_same_message(body: str) -> None:
    """Read by the producer itself, as with --with-attributes."""
    letter = a_letter(body=body, group="g", attributes={"n": "7", "t": "7"}, types={"n": "Number"})
    line = msgspec.json.encode(producer_line(letter))
    message = MessageMaker(with_attributes=True).of_input(1, line)
    assert isinstance(message, OutgoingMessage)
    assert (message.body, message.group_id) == (body, "g")
    assert message.attributes == {"n": "7", "t": "7"}
    assert message.attribute_types == {"n": "Number"}


@pytest.mark.parametrize(
    ("value", "kind"),
    [(b"x", "Binary"), ("x", "String.own"), ("+5", "Number")],
    ids=["binary", "own type", "no number of JSON"],
)
def test_what_the_producers_files_cannot_hold_is_not_written_otherwise(
    value: str | bytes, kind: str
) -> None:
    """Rather none than another message."""
    assert producer_line(a_letter(attributes={"x": value}, types={"x": kind})) is None
