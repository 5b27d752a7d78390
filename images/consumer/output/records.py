"""Log records of handlers as lines; a log call never raises into the handler that makes it."""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING, Any, Final

from consumer.output.lines import LONGEST, OutputLine, split
from shared.logs import described, without_surrogates

if TYPE_CHECKING:
    from consumer.output.capture import Capture

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class RecordHandler(logging.Handler):
    """A logging handler that passes records on as lines, and never raises."""

    def __init__(self, capture: Capture) -> None:
        """Pass them on to this capture's function."""
        super().__init__()
        self._capture = capture

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record on; one that cannot be described says so in its text."""
        try:
            line = self._line(record)
        except Exception as error:  # noqa: BLE001 - an odd exc_info or stack_info
            line = OutputLine(time.time(), "ERROR", f"a record without a line: {described(error)}")
        self._capture.emit(list(split(line)))

    def _line(self, record: logging.LogRecord) -> OutputLine:
        try:
            text = record.getMessage()
        except BaseException as error:  # noqa: BLE001 - arguments may be any object, and do anything
            message = record.msg if isinstance(record.msg, str) else described(record.msg)
            text = f"{message} (not formatted: {described(error)})"
        origin = self._capture.current()
        return OutputLine(
            time=record.created,
            level=without_surrogates(str(record.levelname)),
            text=without_surrogates(text),
            message_id=origin.message_id,
            trace_id=origin.trace_id,
            logger=without_surrogates(str(record.name)),
            error=_traceback(record),
            fields=_fields(record),
        )


def _traceback(record: logging.LogRecord) -> str | None:
    text = record.exc_text or ""
    if not text and record.exc_info:
        text = "".join(traceback.format_exception(*record.exc_info))
    text = "\n".join(part.strip() for part in (text, record.stack_info) if part)
    return without_surrogates(text[-LONGEST:]) or None


def _fields(record: logging.LogRecord) -> dict[str, Any] | None:
    """Return what the caller gave as `extra`, numbers as numbers and all else as text.

    A number of a class of its own, such as numpy's, is written as the plain number that it is.
    """
    own = {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
    return {without_surrogates(str(name)): _plain(value) for name, value in own.items()} or None


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    try:
        if isinstance(value, float):
            return float(value)
        if isinstance(value, int) and abs(number := int(value)) < 1 << 63:
            return number
        return without_surrogates(str(value)[:LONGEST])
    except Exception as error:  # noqa: BLE001 - a value of any class
        return f"(no text: {type(error).__name__})"
