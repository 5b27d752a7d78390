"""Tests of lines with content at the limits: the largest ones, and characters that end lines."""

from __future__ import annotations

import json
import logging

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.consuming import START, message

from consumer.attempt import Attempt, AttemptResult
from consumer.delivery import Delivery
from consumer.logs.backlog import LARGEST_EVENT, OVERHEAD
from consumer.logs.message_log import content_lines, fitting
from consumer.output.lines import NO_ORIGIN, OutputLine, RawLines, encode_output
from shared.logs import JsonFormatter, encode_line


def line(body: str, reason: str | None = None, text: str = "a") -> bytes:
    """Return the line for a message with this body; names and values of attributes are `text`."""
    attributes = {text: text, "binary": text.encode()}
    received = msgspec.structs.replace(message(7), attributes=attributes)
    delivery = Delivery(1, received, START, body)
    [encoded] = content_lines("i-0123", [Attempt(delivery, AttemptResult.FAILED, reason, 1, START)])
    return encoded


def test_a_message_whose_line_is_too_long_keeps_all_but_its_content() -> None:
    """SQS takes messages as large as an event of CloudWatch Logs."""
    encoded = line(json.dumps("x" * (LARGEST_EVENT - 100)))
    short = json.loads(fitting(encoded))
    assert short["message_id"] == "id-7"
    assert "body" not in short
    assert short["content_bytes"] == len(encoded) - len(encoded.partition(b',"attributes"')[0]) - 1


def test_another_line_that_is_too_long_keeps_its_beginning() -> None:
    """It stays one JSON object, which Logs Insights can read."""
    encoded = encode_line({"event": "output", "fields": {"x": "\U0001f41f" * LARGEST_EVENT}})
    short = json.loads(fitting(encoded))
    assert short["bytes"] == len(encoded)
    assert short["beginning"].startswith('{"event":"output","fields":{"x":"\U0001f41f')


@pytest.mark.parametrize("more", [0, 1])
def test_a_line_is_as_long_as_an_event_may_be(more: int) -> None:
    """The limit itself is allowed."""
    encoded = b"x" * (LARGEST_EVENT - OVERHEAD + more)
    assert (fitting(encoded) == encoded) is (more == 0)


CONTROLS = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]))


@given(st.text(st.sampled_from([*CONTROLS, *'ab"\\'])))
def test_every_line_is_one_line_for_every_reader(text: str) -> None:
    """Whatever a message, its handler and its attributes contain."""
    record = logging.LogRecord("mine", logging.INFO, "", 0, text, args=None, exc_info=None)
    output = RawLines("stdout").feed(text.encode() + b"\n", START, NO_ORIGIN)
    written = [
        line(text, text, text),
        line(json.dumps(text)),
        line(json.dumps(text, ensure_ascii=False)),
        encode_output(OutputLine(START, "INFO", text, logger=text, fields={text: text}), text),
        *(encode_output(each, "i-0123") for each in output),
        JsonFormatter({}).format(record).encode(),
    ]
    for encoded in written:
        assert not set(encoded.decode()) & set(CONTROLS)
        assert isinstance(json.loads(encoded), dict)
