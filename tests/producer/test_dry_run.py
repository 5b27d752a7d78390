"""Tests of the dry run's destination."""

from __future__ import annotations

import io

from producer.dry_run import Printer
from producer.messages.message_maker import MessageMaker
from producer.messages.outgoing_message import OutgoingMessage
from shared.logs import LineStream
from shared.queue import OutgoingEntry

FULL = OutgoingEntry('{"a":1}', {"type": "x", "n": "5"}, {"n": "Number"}, "g", "d")


def printed(*messages: str | OutgoingEntry) -> list[bytes]:
    """Return the lines that a printer writes for these messages."""
    stream = io.BytesIO()
    Printer(LineStream(stream)).send(messages)
    return stream.getvalue().splitlines()


def test_a_message_that_is_nothing_but_its_body_is_printed_as_it_is() -> None:
    """So the output is input again."""
    assert printed('{"a": 1}', "[]") == [b'{"a": 1}', b"[]"]


def test_what_surrounds_a_message_is_printed_as_it_is_read() -> None:
    """`--with-attributes` makes the same message of the line."""
    (line,) = printed(FULL)
    assert line == (
        b'{"body":{"a":1},"attributes":{"type":"x","n":5},"groupId":"g","deduplicationId":"d"}'
    )

    again = MessageMaker(with_attributes=True, run="r").of_input(1, line)

    assert isinstance(again, OutgoingMessage)
    assert again.entry() == FULL


def test_a_body_that_is_a_text_is_printed_as_a_text() -> None:
    """JSON's own text is one, too, and keeps its quotes."""
    text, quoted = printed(
        OutgoingEntry("plain", {"a": "b"}), OutgoingEntry('"quoted"', {"a": "b"})
    )

    assert text.startswith(b'{"body":"plain",')
    assert quoted.startswith(b'{"body":"\\"quoted\\"",')
