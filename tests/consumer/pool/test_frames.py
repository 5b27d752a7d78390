"""Tests of frames: values that cross a pipe in pieces."""

from __future__ import annotations

import msgspec
import pytest

from consumer.attempt import AttemptResult
from consumer.handlers.verdict import Verdict
from consumer.output.lines import OutputLine
from consumer.pool.frames import (
    Answer,
    Close,
    FrameReader,
    Hand,
    Order,
    Output,
    Ping,
    Ready,
    Report,
    Terms,
    encode,
)

ORDERS: list[Order] = [
    Terms("mine:handle", 2, 30.0, "INFO", 1, ["/app"]),
    Hand([3, 4], [("a", "{}", 1, 2.0, 3.0, {"n": "1", "b": b"\0"}, {"SenderId": "x"})] * 2),
    Ping(7),
    Close(),
]
REPORTS: list[Report] = [
    Ready("sync"),
    Answer(3, Verdict(AttemptResult.RETRY, "later", 7)),
    Output([OutputLine(1.0, "INFO", "a line", fields={"order": 7})]),
]


@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_frames_are_put_together_from_any_pieces(size: int) -> None:
    """A pipe may give one byte, or several frames at once."""
    data = b"".join(encode(order) for order in ORDERS)
    reader = FrameReader()
    decoder: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    got = [decoder.decode(content) for piece in pieces for content in reader.feed(piece)]
    assert got == ORDERS


def test_reports_come_back_as_they_were() -> None:
    """Verdicts and lines as well."""
    decoder: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)
    reader = FrameReader()
    data = b"".join(encode(report) for report in REPORTS)
    assert [decoder.decode(content) for content in reader.feed(data)] == REPORTS
