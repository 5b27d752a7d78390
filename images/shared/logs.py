"""JSON lines: the format in which both programs write for machines and CloudWatch Logs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

_encoder = msgspec.json.Encoder()


def timestamp(seconds: float) -> str:
    """Return epoch seconds as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def encode_line(fields: Mapping[str, Any]) -> bytes:
    """Return the fields as one line of JSON, without the line's end."""
    return _encoder.encode(fields)


class JsonFormatter(logging.Formatter):
    """Formats a log record as JSON: time, level, event (the message), context, own fields.

    A call adds fields like this: `log.info("queue empty", extra={"fields": {"wait_seconds": 60}})`.
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        """Add these fields, such as the instance id, to every line."""
        super().__init__()
        self._context = dict(context)

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON for the record; an exception's traceback goes in `error`."""
        fields = {
            "time": timestamp(record.created),
            "level": record.levelname,
            "event": record.getMessage(),
            **self._context,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return encode_line(fields).decode()


class LineStream:
    """A sink that writes encoded lines to a binary stream, whole batches at a time."""

    def __init__(self, stream: BinaryIO) -> None:
        """Write to this stream, usually sys.stdout.buffer."""
        self._stream = stream

    def write(self, lines: list[bytes]) -> None:
        """Write the lines and flush, so that a crash directly afterwards loses none."""
        self._stream.write(b"\n".join(lines) + b"\n" if lines else b"")
        self._stream.flush()
