"""Tests of input messages."""

from __future__ import annotations

import codecs
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.producing import CIVIC, LATEST_YEAR, vehicle_line
from support.fakes.stopping import FakeStop

from producer.errors import InputError
from producer.messages.array_reader import split_array
from producer.messages.csv_reader import Row, rows
from producer.messages.input_messages import (
    CsvTypes,
    Input,
    checked,
    elements,
    read,
    table_rows,
)
from producer.messages.line_reader import opened, split_lines
from producer.messages.message_maker import TOO_LONG, MessageMaker
from producer.messages.outgoing_message import Origin, OutgoingMessage, RejectedLine
from producer.messages.schema import schema_of
from shared.quotas import MAX_BYTES

if TYPE_CHECKING:
    from pathlib import Path

VEHICLES = MessageMaker(check=schema_of("vehicle", LATEST_YEAR))


def one(line: bytes | None, number: int = 1) -> OutgoingMessage | RejectedLine | None:
    """Return the message or rejection of a line; fail unless it is exactly one."""
    (item,) = checked([(number, line)], VEHICLES)
    return item


def padded(size: int) -> bytes:
    """Return a valid line of exactly that many bytes, most of them in characters of two bytes."""
    filler = "ä" * ((size - len(CIVIC) - 20) // 2)
    body = CIVIC.replace("Civic", filler).encode()
    return body[:-1] + b" " * (size - len(body)) + b"}"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(CIVIC, id="compact"),
        pytest.param(f"  {CIVIC}\t", id="white space around"),
        pytest.param(CIVIC.replace(":", " : "), id="white space within"),
        pytest.param(CIVIC.replace("{", '{"unknown":[1,{"a":null}],', 1), id="unknown field"),
        pytest.param(CIVIC.replace("Honda", "Škoda"), id="UTF-8"),
        pytest.param(CIVIC.replace("Honda", "\\u0160koda"), id="escape"),
    ],
)
def test_a_valid_line_is_sent_as_it_stands(line: str) -> None:
    """The body is the line as the user wrote it, not encoded again."""
    assert one(line.encode(), 7) == OutgoingMessage(
        line, len(line.encode()), Origin.LINE, 7, "VH2001"
    )


@pytest.mark.parametrize("line", [b"", b"  ", b"\t", b"\r", codecs.BOM_UTF8], ids=repr)
def test_a_blank_line_is_nothing(line: bytes) -> None:
    """A blank line is neither a message nor an error."""
    assert list(checked([(1, line)], VEHICLES)) == []


def test_what_editors_put_around_a_line_is_none_of_it() -> None:
    """A carriage return and a byte order mark do not belong to the message."""
    item = one(codecs.BOM_UTF8 + CIVIC.encode() + b"\r")

    assert isinstance(item, OutgoingMessage)
    assert item.body == CIVIC
    assert item.size == len(CIVIC)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(b"nonsense", "not JSON", id="not JSON"),
        pytest.param(b"[]", "Expected `object`, got `array`", id="no object"),
        pytest.param(CIVIC.replace("2020", '"2020"').encode(), "$.year", id="wrong type"),
        pytest.param(CIVIC.replace("2020", "2028").encode(), "$.year", id="year to come"),
        pytest.param(b'{"vehicleId":"\xff"}', "not UTF-8", id="not UTF-8"),
        pytest.param(CIVIC.encode("utf-16"), "not JSON", id="UTF-16"),
        pytest.param(codecs.BOM_UTF8 + CIVIC.encode(), "not JSON", id="mark in a later line"),
        pytest.param(
            CIVIC.replace("Honda", "\ufffe").encode(), "the character U+FFFE", id="forbidden"
        ),
        pytest.param(None, TOO_LONG, id="dropped by the reader"),
        pytest.param(padded(MAX_BYTES + 1), TOO_LONG, id="one byte too long"),
    ],
)
def test_a_line_that_cannot_be_sent_is_rejected_with_its_number(
    line: bytes | None, reason: str
) -> None:
    """A rejection has the line's number and the reason."""
    item = one(line, 12)

    assert isinstance(item, RejectedLine)
    assert item.line == 12
    assert reason in item.reason


def test_a_line_of_exactly_the_limit_is_sent() -> None:
    """SQS counts bytes, and accepts this number of them."""
    item = one(padded(MAX_BYTES))

    assert isinstance(item, OutgoingMessage)
    assert item.size == MAX_BYTES


@given(st.lists(st.none() | st.tuples(st.integers(1, 99), st.none() | st.binary())))
def test_no_input_whatever_breaks_the_reading(lines: list[tuple[int, bytes | None] | None]) -> None:
    """For any input each line is sent, rejected or blank, and pauses stay where they are."""
    items = list(checked(lines, VEHICLES))

    assert items.count(None) == lines.count(None)


@given(
    st.binary(max_size=200) | st.text('[]{}",;:\\\n\r1a \ufeff', max_size=80).map(str.encode),
    st.sampled_from(CsvTypes),
)
def test_no_array_and_no_table_breaks_the_reading(data: bytes, csv_types: CsvTypes) -> None:
    """For any bytes each element and row is sent or rejected, or the input ends with a reason."""
    lines = split_lines([data], MAX_BYTES + 1)
    source = Input("x", csv_types=csv_types, attribute_columns=("a",))
    for items in (
        elements(split_array([data], "x", MAX_BYTES), MessageMaker()),
        table_rows(rows(lines, "x", TOO_LONG), source, MessageMaker()),
    ):
        with suppress(InputError):
            for item in items:
                assert isinstance(item, OutgoingMessage | RejectedLine)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["Unix", "Windows"])
def test_a_file_becomes_messages(tmp_path: Path, end: bytes) -> None:
    """Numbers are the file's, blank lines counted, and a line that is too long is only rejected."""
    path = tmp_path / "vehicles.jsonl"
    lines = [vehicle_line(1).encode(), b"", padded(MAX_BYTES), b"x" * (3 * MAX_BYTES), b"[]"]
    path.write_bytes(end.join([*lines, vehicle_line(6).encode()]))

    with opened(str(path)) as file:
        items = list(read(file, Input(str(path)), VEHICLES, FakeStop()))

    assert [type(item) for item in items] == [
        OutgoingMessage,
        OutgoingMessage,
        RejectedLine,
        RejectedLine,
        OutgoingMessage,
    ]
    assert [item.number for item in items if isinstance(item, OutgoingMessage)] == [1, 3, 6]
    assert [item.line for item in items if isinstance(item, RejectedLine)] == [4, 5]


def test_an_attribute_column_that_is_missing_is_told_in_one_line() -> None:
    """Even if a column's name has a line's end in it."""
    table = [Row(1, {"b\nc": "1", "d": "2"})]
    source = Input("x", attribute_columns=("a",))
    with pytest.raises(InputError, match=r"the header has 'b\\nc', d$"):
        list(table_rows(table, source, MessageMaker()))
