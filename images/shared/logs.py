"""JSON lines: the format in which both programs write for machines and CloudWatch Logs."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

LEVELS: Final = {
    logging.DEBUG: "DEBUG",
    logging.INFO: "INFO",
    logging.WARNING: "WARNING",
    logging.ERROR: "ERROR",
    logging.CRITICAL: "CRITICAL",
}
"""Alarms and queries look for these names; `logging.addLevelName` could change logging's own."""

DESCRIPTION_LIMIT: Final = 1_000
"""Longest description of a value that has no form in JSON, in characters."""

_CONTROL: Final = re.compile("[\x7f-\x9f\u2028\u2029]")


def described(value: object) -> str:
    """Return a description of any value, whatever its own __repr__ does."""
    try:
        text = repr(value)
    except BaseException as error:  # noqa: BLE001 - user code, which may even call sys.exit()
        text = f"<{type(value).__name__}, whose description raises {type(error).__name__}>"
    return text if len(text) <= DESCRIPTION_LIMIT else text[:DESCRIPTION_LIMIT] + "..."


_encoder = msgspec.json.Encoder(enc_hook=described)


def timestamp(seconds: float) -> str:
    """Return epoch seconds as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def encode_line(fields: Mapping[str, Any]) -> bytes:
    """Return the fields as one line of JSON, without the line's end; any value is encodable."""
    try:
        encoded = _encoder.encode(fields)
    except BaseException:  # noqa: BLE001 - one of the fields has a value or a name that is odd
        names = (name if isinstance(name, str) else described(name) for name in fields)
        values = (_field(value) for value in fields.values())
        encoded = _encoder.encode(dict(zip(map(without_surrogates, names), values, strict=True)))
    return one_line(encoded)


def one_line(encoded: bytes) -> bytes:
    """Return JSON with the controls escaped that JSON allows and some readers of lines do not.

    Some end a line at U+0085, U+2028 or U+2029, and terminals obey the codes from U+007F to U+009F.
    In valid JSON such characters are inside of strings, where an escape means the same.
    """
    if encoded.isascii() and b"\x7f" not in encoded:
        return encoded
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", encoded.decode()).encode()


def without_surrogates(text: str) -> str:
    """Return the text with a question mark for each half of a character; it can be encoded.

    What is returned is a plain `str`: texts of classes of their own cannot be encoded.
    """
    plain = str.__str__(text)
    return plain if plain.isascii() else plain.encode(errors="replace").decode()


def _field(value: object) -> msgspec.Raw:
    """Return the value's JSON, or that of its description."""
    try:
        return msgspec.Raw(_encoder.encode(value))
    except BaseException:  # noqa: BLE001 - half a character, an odd key, a circle, an endless number
        text = value if isinstance(value, str) else described(value)
        return msgspec.Raw(_encoder.encode(without_surrogates(text)))


class JsonFormatter(logging.Formatter):
    """Formats a log record as JSON: time, level, event (the message), context, own fields.

    A call adds fields like this: `log.info("queue empty", extra={"fields": {"wait_seconds": 60}})`.
    A record that cannot be formatted as it was meant still becomes a line: it may be a handler's
    record, and a log call should never end the attempt that makes it.
    """

    def __init__(self, context: Mapping[str, Any]) -> None:
        """Add these fields, such as the instance id, to every line."""
        super().__init__()
        self._context = dict(context)

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON for the record; an exception's traceback goes in `error`."""
        fields: dict[str, Any] = {
            "time": _time(record),
            "level": LEVELS.get(record.levelno, record.levelname),
            "event": _event(record),
            **self._context,
        }
        own = getattr(record, "fields", {})
        try:
            fields.update(own)
        except Exception:  # noqa: BLE001 - no mapping, or one of its own kind
            fields["fields"] = described(own)
        if record.exc_info:
            fields["error"] = self._traceback(record.exc_info)
        return encode_line(fields).decode()

    def _traceback(self, exc_info: Any) -> str:  # noqa: ANN401 - a caller may have passed anything
        try:
            return self.formatException(exc_info)
        except Exception:  # noqa: BLE001 - no exception's triple
            return described(exc_info)


def _event(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except BaseException:  # noqa: BLE001 - a format with other arguments, or a message's own __str__
        message = record.msg if isinstance(record.msg, str) else described(record.msg)
        return f"{message} {described(record.args)}"


def _time(record: logging.LogRecord) -> str:
    try:
        return timestamp(record.created)
    except (TypeError, ValueError, OverflowError, OSError):
        return timestamp(datetime.now(UTC).timestamp())


class LineStream:
    """A sink that writes encoded lines to a binary stream, whole batches at a time."""

    def __init__(self, stream: BinaryIO) -> None:
        """Write to this stream, usually sys.stdout.buffer."""
        self._stream = stream

    def write(self, lines: list[bytes]) -> None:
        """Write the lines and flush, so that a crash directly afterwards loses none."""
        self._stream.write(b"\n".join(lines) + b"\n" if lines else b"")
        self._stream.flush()
