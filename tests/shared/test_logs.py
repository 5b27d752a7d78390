"""Tests of log lines."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import Any

from shared.logs import JsonFormatter, LineStream, encode_line, timestamp


def formatted(record: logging.LogRecord) -> dict[str, Any]:
    """Return the record's line, decoded; fail if there is more than one."""
    line = JsonFormatter({"instance": "i-1"}).format(record)
    assert "\n" not in line
    fields: dict[str, Any] = json.loads(line)
    return fields


def record(**extra: object) -> logging.LogRecord:
    """Build a record of the event 'queue empty' at the instant 1.5."""
    made = logging.makeLogRecord(
        {"levelname": "INFO", "msg": "queue %s", "args": ("empty",), "created": 1.5, **extra}
    )
    assert isinstance(made, logging.LogRecord)
    return made


def test_a_timestamp_is_utc_with_milliseconds() -> None:
    """Timestamps can be read by CloudWatch Logs and by people."""
    assert timestamp(1_790_000_000.125) == "2026-09-21T14:13:20.125+00:00"


def test_a_record_becomes_one_json_object() -> None:
    """The object holds time, level, event, the context, and the record's own fields."""
    assert formatted(record(fields={"wait_seconds": 60})) == {
        "time": "1970-01-01T00:00:01.500+00:00",
        "level": "INFO",
        "event": "queue empty",
        "instance": "i-1",
        "wait_seconds": 60,
    }


def test_an_exception_goes_along_in_the_same_line() -> None:
    """A traceback is a field of the same line, with its line breaks escaped."""
    try:
        raise ValueError("no such thing")  # noqa: TRY301 - to have a traceback
    except ValueError:
        fields = formatted(record(exc_info=sys.exc_info()))

    assert fields["error"].startswith("Traceback")
    assert fields["error"].endswith("ValueError: no such thing")


def test_text_in_any_script_stays_readable() -> None:
    """Text is written in UTF-8, not in escapes."""
    assert encode_line({"make": "Škoda"}) == '{"make":"Škoda"}'.encode()


def test_lines_are_written_together_and_flushed() -> None:
    """Each line is terminated, and all are flushed."""
    raw = io.BytesIO()
    buffered = io.BufferedWriter(raw)

    LineStream(buffered).write([b"one", b"two"])
    LineStream(buffered).write([])

    assert raw.getvalue() == b"one\ntwo\n"
