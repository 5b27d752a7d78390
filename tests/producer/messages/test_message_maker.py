"""Tests of making messages: any JSON, attributes, groups and deduplication ids."""

from __future__ import annotations

import json

import pytest
from support.fakes.producing import CIVIC, outgoing

from producer.messages.message_maker import MessageMaker
from producer.messages.outgoing_message import Origin, OutgoingMessage, RejectedLine
from producer.messages.template_text import TemplateText
from shared.quotas import MAX_BYTES

GROUPED = MessageMaker(group=TemplateText("{vehicleId}"), run="r1")
AROUND = MessageMaker(with_attributes=True, attributes={"type": "x", "k": "v"})


def made(maker: MessageMaker, body: object, number: int = 3) -> OutgoingMessage:
    """Return the message of a body; fail if it is rejected."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    item = maker.of_input(number, raw)
    assert isinstance(item, OutgoingMessage), item
    return item


def reason(maker: MessageMaker, body: object) -> str:
    """Return why a body is rejected; fail if it is not."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    item = maker.of_input(3, raw)
    assert isinstance(item, RejectedLine), item
    assert item.line == 3
    return item.reason


@pytest.mark.parametrize("body", [{"order": 1}, [1, 2], "text", 5, None, {}], ids=repr)
def test_any_json_is_a_message(body: object) -> None:
    """A body need not be an object; it is sent as it was written."""
    assert made(MessageMaker(), body) == OutgoingMessage(
        json.dumps(body), len(json.dumps(body)), Origin.LINE, 3
    )


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param(b"nope", "not JSON", id="no JSON"),
        pytest.param(b'{"a":1', "not JSON", id="cut off"),
        pytest.param(b"{", "needs a JSON array", id="message over lines"),
        pytest.param(b"{}{}", "not JSON", id="two"),
        pytest.param(b'"\xff"', "not ", id="no UTF-8"),
        pytest.param(b"[" * 100_000, "not JSON", id="too deep"),
        pytest.param('"\uffff"'.encode(), "U+FFFF", id="forbidden"),
    ],
)
def test_what_is_no_json_is_rejected(body: bytes, why: str) -> None:
    """Nothing but JSON is sent from a file."""
    assert why in reason(MessageMaker(), body)


def test_an_element_over_several_lines_is_sent_on_one() -> None:
    """White space between its parts is not part of the message."""
    item = MessageMaker().of_input(1, b'{\n  "a": "x  y",\n  "n": 1.50\n}', Origin.ELEMENT)

    assert isinstance(item, OutgoingMessage)
    assert item.body == '{"a":"x  y","n":1.50}'


def test_a_group_and_an_id_that_makes_a_resend_harmless() -> None:
    """The same line of the same run has the same deduplication id."""
    message = made(GROUPED, CIVIC.encode())

    assert (message.group_id, message.deduplication_id) == ("VH2001", "r1-line-3")
    assert made(GROUPED, CIVIC.encode()) == message
    assert made(GROUPED, CIVIC.encode(), 4).deduplication_id == "r1-line-4"


def test_a_group_alone_makes_a_queue_fair() -> None:
    """Standard queues have no deduplication ids."""
    message = made(MessageMaker(group=TemplateText("{vehicleId}")), CIVIC.encode())

    assert (message.group_id, message.deduplication_id) == ("VH2001", None)


def test_a_message_without_the_field_is_rejected() -> None:
    """The reason names field and id."""
    assert reason(GROUPED, {"a": 1}) == "no field `vehicleId` for the group id"


def test_a_line_may_bring_its_attributes() -> None:
    """They override those of the command line; the body is sent as it was written."""
    message = made(AROUND, {"body": {"a": 1}, "attributes": {"type": "order", "n": 5}})

    assert message.body == '{"a": 1}'
    assert message.attributes == {"type": "order", "k": "v", "n": "5"}
    assert message.attribute_types == {"n": "Number"}
    assert message.size == len('{"a": 1}') + len("typeStringorder" + "kStringv" + "nNumber5")


def test_a_body_in_quotes_is_sent_as_its_text() -> None:
    """So a body that is no JSON can be sent."""
    assert made(AROUND, {"body": "plain\ttext"}).body == "plain\ttext"


def test_a_line_may_bring_its_ids() -> None:
    """They override templates."""
    maker = MessageMaker(with_attributes=True, run="r", group=TemplateText("{a}"))
    message = made(maker, {"body": {"a": 1}, "groupId": "g", "deduplicationId": "d"})

    assert (message.group_id, message.deduplication_id) == ("g", "d")
    assert made(maker, {"body": {"a": 1}}).group_id == "1"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param({"a": 1}, "unknown field `a` (--with-attributes)", id="no envelope"),
        pytest.param([1], "Expected `object`", id="no object"),
        pytest.param({"attributes": {}}, "missing required field `body`", id="no body"),
        pytest.param({"body": ""}, "an empty body", id="empty"),
        pytest.param({"body": "\x00"}, "U+0000", id="forbidden"),
        pytest.param({"body": 1, "attributes": {"a": None}}, "neither a text", id="null"),
        pytest.param({"body": 1, "deduplicationId": "d"}, "FIFO queues alone", id="no FIFO"),
        pytest.param({"body": 1, "groupId": "a b"}, "group id 'a b'", id="no group"),
        pytest.param(
            {"body": 1, "attributes": {f"a{n}": "x" for n in range(9)}},
            "11 attributes",
            id="too many",
        ),
    ],
)
def test_a_line_with_attributes_that_cannot_be_sent_is_rejected(body: object, why: str) -> None:
    """The reason says what is wrong, also if it is no line with attributes at all."""
    maker = MessageMaker(with_attributes=True, attributes={"type": "x", "k": "v"})

    assert why in reason(maker, body)


def test_a_fifo_queue_needs_a_group_of_every_line() -> None:
    """A line without one is rejected before SQS refuses its whole batch."""
    assert "a FIFO queue needs" in reason(MessageMaker(with_attributes=True, run="r"), {"body": 1})


def test_attributes_count_to_the_size() -> None:
    """Body and attributes together must not be larger than SQS allows."""
    body = b'"' + b"x" * (MAX_BYTES - 2 - len("typeStringorder")) + b'"'
    maker = MessageMaker(attributes={"type": "order"})

    assert made(maker, body).size == MAX_BYTES
    assert "more than 1048576 bytes" in reason(maker, body[:-1] + b'x"')


def test_generated_messages_get_attributes_and_groups_too() -> None:
    """Poison without fields gets a group of its own, as it is sent on purpose."""
    poison = OutgoingMessage("{nope", 5, Origin.POISON, 1)

    vehicle = GROUPED.of_generated(outgoing(2001, origin=Origin.VEHICLE))
    spoilt = GROUPED.of_generated(poison)

    assert (vehicle.group_id, vehicle.deduplication_id) == ("VH2001", "r1-vehicle-2001")
    assert (spoilt.group_id, spoilt.deduplication_id) == ("poison", "r1-poison-1")
    assert MessageMaker().of_generated(poison) is poison
