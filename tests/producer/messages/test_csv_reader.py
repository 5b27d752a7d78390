"""Tests of reading CSV."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.errors import InputError
from producer.messages.csv_reader import Row, rows, typed
from producer.messages.line_reader import split_lines
from producer.messages.outgoing_message import RejectedLine
from shared.quotas import MAX_BYTES

VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=12)


def read(data: bytes) -> list[Row | RejectedLine | None]:
    """Return what comes out of these bytes."""
    return list(rows(split_lines([data], MAX_BYTES + 1), "x.csv", "too long"))


@given(st.lists(st.lists(VALUES, min_size=2, max_size=2), max_size=6), st.sampled_from("\n\r"))
def test_rows_come_out_as_they_were_written(table: list[list[str]], end: str) -> None:
    """Whatever is in the values: quotes, commas, line ends."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n" if end == "\r" else "\n")
    writer.writerows([["a", "b"], *table])

    found = read(out.getvalue().encode())

    shown = [list(item.values.values()) for item in found if isinstance(item, Row)]
    assert shown == [row for row in table if any(value.strip() for value in row)]
    assert all(isinstance(item, Row) for item in found)


def test_a_row_is_named_by_the_line_at_which_it_begins() -> None:
    """Lines within quotes count, and blank ones do."""
    found = read(b'id,text\n1,"two\nlines"\n\n2,x\n')

    assert found == [
        Row(2, {"id": "1", "text": "two\nlines"}),
        Row(5, {"id": "2", "text": "x"}),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_the_header_shows_what_separates_values(delimiter: str) -> None:
    """A byte order mark does not belong to the first name."""
    text = delimiter.join(["\ufeffid", "name"]) + "\n" + delimiter.join(["1", "a b"])

    assert read(text.encode()) == [Row(2, {"id": "1", "name": "a b"})]


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        pytest.param(b"a,b\n1\n", 2, "1 values for 2 columns", id="too few"),
        pytest.param(b"a,b\n1,2,3\n", 2, "3 values for 2 columns", id="too many"),
        pytest.param(b'a,b\n1,2\n1,"x\n2,y\n', 3, "a quote that is not closed", id="open quote"),
        pytest.param(b'a,b\n"1"x,2\n', 2, "not CSV", id="text behind a quote"),
        pytest.param(b"a,b\n\xff,2\n", 2, "not UTF-8", id="no UTF-8"),
        pytest.param(b'a,b\n"' + b"x\n" * MAX_BYTES + b"\n", 2, "too long", id="too long"),
    ],
)
def test_a_row_that_cannot_be_sent_is_rejected(data: bytes, line: int, reason: str) -> None:
    """The first rejection names the row's line."""
    rejected = next(item for item in read(data) if isinstance(item, RejectedLine))

    assert rejected.line == line
    assert reason in rejected.reason


@pytest.mark.parametrize(
    ("header", "reason"), [(b"a,b,a", "names 'a' twice"), (b"a,,b", "without a name")], ids=str
)
def test_a_header_that_names_nothing_ends_the_input(header: bytes, reason: str) -> None:
    """No row could be sent."""
    with pytest.raises(InputError, match=f"x.csv failed: the header .*{reason}"):
        read(header + b"\n1,2,3\n")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", b"3"),
        ("-2.5", b"-2.5"),
        ("true", b"true"),
        ("null", b"null"),
        ("007", b'"007"'),
        ("", b'""'),
        ("x", b'"x"'),
        ('"x"', b'"\\"x\\""'),
        ("[1]", b'"[1]"'),
        ("NaN", b'"NaN"'),
        ("1e400", b'"1e400"'),
        ("1 ", b"1"),
        ("1.10", b"1.10"),
        ("0.1234567890123456789", b"0.1234567890123456789"),
        ("123456789012345678901.5", b"123456789012345678901.5"),
    ],
)
def test_only_what_json_has_as_such_is_typed(text: str, value: bytes) -> None:
    """A number has all of its digits; one with a leading zero is a text: a postcode."""
    assert msgspec.json.encode(typed(text)) == value
