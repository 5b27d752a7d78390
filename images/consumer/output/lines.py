"""Lines that handlers print and log: one JSON line each, with the id of the message they work on.

A line that is printed in pieces is put together for each message, and ends with the message at the
latest. A line of more than LONGEST characters is split into parts, because Docker's log driver
splits at 16 KB by itself, in the middle of the JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from shared.logs import encode_line, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = 8_000
"""Characters of a line; the rest follows in lines of its own. A traceback is cut to its end."""


class Origin(NamedTuple):
    """The message that a line is about, and its trace; nothing where several could be meant."""

    message_id: str | None = None
    trace_id: str | None = None


NO_ORIGIN: Final = Origin()


class OutputLine(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One line of a handler: printed to `stream`, or logged by `logger`; `time` is epoch seconds.

    `part` counts the lines that a long one was split into, from 1. `fields` is what the handler
    gave to its logger as `extra`.
    """

    time: float
    level: str
    text: str
    message_id: str | None = None
    trace_id: str | None = None
    stream: str | None = None
    logger: str | None = None
    error: str | None = None
    part: int | None = None
    fields: dict[str, Any] | None = None


def encode_output(line: OutputLine, instance_id: str) -> bytes:
    """Return the line as JSON."""
    head = {
        "time": timestamp(line.time),
        "level": line.level,
        "event": "output",
        "instance_id": instance_id,
    }
    rest = {name: getattr(line, name) for name in line.__struct_fields__[2:]}
    return encode_line(
        {**head, **{name: value for name, value in rest.items() if value is not None}}
    )


def split(line: OutputLine) -> Iterator[OutputLine]:
    """Yield the line, or several parts of it if it is long."""
    if len(line.text) <= LONGEST:
        yield line
        return
    for part, start in enumerate(range(0, len(line.text), LONGEST), start=1):
        text = line.text[start : start + LONGEST]
        yield msgspec.structs.replace(line, text=text, part=part)


class RawLines:
    """Cuts into lines what is written around Python, by C or by programs that a handler starts.

    Nobody marks it with a message, so it gets the id of the message in hand, if that is the only
    one. What does not end with a line is kept, up to LONGEST bytes, with that id.
    """

    def __init__(self, stream: str) -> None:
        """Start at the beginning of a line of `stdout` or `stderr`."""
        self._stream = stream
        self._rest = b""
        self._origin = NO_ORIGIN

    def feed(self, data: bytes, now: float, origin: Origin) -> list[OutputLine]:
        """Take what was read at this time; return the lines that it completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST:
            lines, self._rest = [*lines, self._rest], b""
        self._origin = origin
        return list(self._lines(lines, now, origin))

    def flush(self, now: float) -> list[OutputLine]:
        """Return the line that was begun, if there is one."""
        rest, self._rest = self._rest, b""
        return list(self._lines([rest], now, self._origin))

    def _lines(self, lines: list[bytes], now: float, origin: Origin) -> Iterator[OutputLine]:
        for line in lines:
            text = line.rstrip(b"\r").decode(errors="replace")
            if text:
                yield from split(OutputLine(now, "INFO", text, *origin, stream=self._stream))
