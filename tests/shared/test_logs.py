"""Tests of log lines."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import Any

import pytest

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


class Broken:
    """A value whose description fails."""

    def __repr__(self) -> str:
        """Fail."""
        raise SystemExit("no description")

    __str__ = __repr__


def circle() -> dict[str, object]:
    """Return a value that contains itself."""
    value: dict[str, object] = {}
    value["self"] = value
    return value


@pytest.mark.parametrize(
    ("odd", "event"),
    [
        pytest.param({"args": ("empty", 1)}, "queue %s ('empty', 1)", id="too many arguments"),
        pytest.param({"msg": "%d", "args": ("x",)}, "%d ('x',)", id="arguments of another type"),
        pytest.param({"msg": "%(name)s", "args": ()}, "%(name)s", id="no arguments"),
        pytest.param(
            {"msg": Broken(), "args": ()},
            "<Broken, whose description raises SystemExit> ()",
            id="a message that cannot be described",
        ),
        pytest.param({"msg": "half \ud800", "args": ()}, "half ?", id="half a character"),
        pytest.param({"created": "yesterday"}, "queue empty", id="a time that is none"),
        pytest.param({"exc_info": (1, 2)}, "queue empty", id="an exception that is none"),
        pytest.param({"fields": 5}, "queue empty", id="fields that are a number"),
        pytest.param({"fields": ["ab", "c"]}, "queue empty", id="fields that are a list"),
        pytest.param({"fields": {"x": Broken()}}, "queue empty", id="a broken value"),
        pytest.param({"fields": {"x": object}}, "queue empty", id="a value JSON has no form for"),
        pytest.param({"fields": {None: 1, 2: "\udfff"}}, "queue empty", id="odd names"),
        pytest.param({"fields": circle()}, "queue empty", id="a circle"),
        pytest.param({"fields": {"x": 10**5000}}, "queue empty", id="a number without end"),
    ],
)
def test_a_record_of_any_kind_becomes_a_line(odd: dict[str, object], event: str) -> None:
    """A log call never raises: it would end the attempt of the handler that makes it."""
    assert formatted(record(**odd))["event"] == event


def test_values_without_a_form_in_json_are_described() -> None:
    """All other fields of the line keep their values."""
    assert formatted(record(fields={"one": 1, "type": Broken, "two": [Broken()]})).items() >= {
        ("one", 1),
        ("type", repr(Broken)),
    }


@pytest.mark.parametrize(
    "character", ["\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\x00", "\n", "\r", "\x1b"]
)
def test_a_line_is_one_line_for_every_reader(character: str) -> None:
    """Characters that end a line for some readers, or that terminals obey, are escaped."""
    line = encode_line({"text": f"Škoda{character}", character: [character]}).decode()
    assert character not in line
    assert line.splitlines() == [line]
    assert json.loads(line) == {"text": f"Škoda{character}", character: [character]}


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
