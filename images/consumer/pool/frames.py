"""Frames: what a worker process and the consumer send each other through two pipes.

A frame is four bytes with its length, and a value in MessagePack. Messages travel several at a time
while handlers are fast, so that the pipes' cost is shared.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from consumer.handlers.verdict import Verdict  # noqa: TC001 - msgspec reads the annotations
from consumer.output.lines import OutputLine  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_BYTES: Final = 1 << 16
"""Bytes that one read takes: what a pipe holds on Linux."""

MOST_BYTES: Final = 64 << 20
"""Bytes of a frame; the longest that a worker process writes have a few megabytes."""

_LENGTH: Final = struct.Struct("<I")


class Terms(msgspec.Struct, frozen=True, array_like=True, tag="terms"):
    """The first frame to a worker process: what it is to run, and how.

    `seconds` is the time limit of a message, `parent` the process that must be alive, and
    `search_path` where it finds modules.
    """

    handler: str
    concurrency: int
    seconds: float
    log_level: str
    parent: int
    search_path: list[str]


Row: TypeAlias = tuple[str, str, int, float, float, dict[str, Any], dict[str, str]]
"""A message: id, body, receive count, times of sending and receiving, attributes, SQS's own."""


class Hand(msgspec.Struct, frozen=True, array_like=True, tag="hand", gc=False):
    """Messages for a worker process, and the slot of each in its page."""

    slots: list[int]
    rows: list[Row]


class Ping(msgspec.Struct, frozen=True, array_like=True, tag="ping"):
    """A question whether the process can still run Python; its page gets the answer."""

    number: int


class Close(msgspec.Struct, frozen=True, array_like=True, tag="close"):
    """The last frame to a worker process: finish what you have, shut down, exit."""


class Ready(msgspec.Struct, frozen=True, array_like=True, tag="ready"):
    """The handler is loaded and started up; `kind` says how it is called."""

    kind: str


class Refused(msgspec.Struct, frozen=True, array_like=True, tag="refused"):
    """The handler cannot be used; the process ends."""

    why: str


class Answer(msgspec.Struct, frozen=True, array_like=True, tag="answer"):
    """The verdict on a message that was not simply processed."""

    slot: int
    verdict: Verdict


class Closed(msgspec.Struct, frozen=True, array_like=True, tag="closed"):
    """The handler is shut down; what the process still waits for is none of its messages."""


class Progress(msgspec.Struct, frozen=True, array_like=True, tag="progress"):
    """All messages of a frame are finished; the page has their times."""


class Output(msgspec.Struct, frozen=True, array_like=True, tag="output"):
    """Lines that handlers printed or logged."""

    lines: list[OutputLine]


Order: TypeAlias = Terms | Hand | Ping | Close
Report: TypeAlias = Ready | Refused | Answer | Progress | Closed | Output

_encoder = msgspec.msgpack.Encoder()


def encode(frame: Order | Report) -> bytes:
    """Return the frame's bytes."""
    content = _encoder.encode(frame)
    return _LENGTH.pack(len(content)) + content


class FrameReader:
    """Puts the frames together that arrive in pieces."""

    def __init__(self) -> None:
        """Start at the beginning of a frame."""
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take what was read; yield the content of every frame that is complete now.

        Raises:
            msgspec.DecodeError: this is the beginning of no frame.
        """
        self._bytes += data
        at = 0
        while len(self._bytes) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._bytes, at)
            if length > MOST_BYTES:
                raise msgspec.DecodeError(f"a frame of {length} bytes")
            end = at + _LENGTH.size + length
            if len(self._bytes) < end:
                break
            yield bytes(self._bytes[at + _LENGTH.size : end])
            at = end
        del self._bytes[:at]


def write_all(file: int, data: bytes) -> None:
    """Write all bytes to a pipe that blocks."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
