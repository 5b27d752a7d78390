"""Tests of reading JSON arrays an element at a time."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.errors import InputError
from producer.messages.array_reader import split_array

LIMIT = 1000

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


def split(data: bytes, size: int = 3) -> list[tuple[int, bytes | None]]:
    """Return the elements of data that come in pieces of this size."""
    pieces: list[bytes | None] = []
    for start in range(0, len(data), size):
        pieces += [data[start : start + size], None]
    return [item for item in split_array(pieces, "x.json", LIMIT) if item]


@given(
    st.lists(ANYTHING, max_size=6),
    st.integers(1, 40),
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_elements_come_out_however_the_array_is_written_and_cut(
    array: list[Any],
    size: int,
    indent: int | None,
    ascii_only: bool,  # noqa: FBT001 - drawn, not passed
) -> None:
    """Each element is its own text, numbered from 1."""
    text = f" {json.dumps(array, indent=indent, ensure_ascii=ascii_only)}\n"

    found = split(text.encode(errors="surrogatepass"), size)

    assert [number for number, _ in found] == list(range(1, len(array) + 1))
    assert [json.loads((part or b"").decode(errors="surrogatepass")) for _, part in found] == array


def test_an_element_that_is_no_json_spoils_no_other() -> None:
    """It is for the check to reject it; so is nothing between two commas."""
    assert split(b'[{"a":1}, nope, , {"b":[1,2]}]') == [
        (1, b'{"a":1}'),
        (2, b"nope"),
        (3, b""),
        (4, b'{"b":[1,2]}'),
    ]


def test_an_element_that_is_too_long_is_not_kept_in_memory() -> None:
    """Its number is."""
    long = b'"' + b"x" * (LIMIT + 1) + b'"'

    assert split(b"[1," + long + b",3]") == [(1, b"1"), (2, None), (3, b"3")]


def test_an_array_of_any_size_is_read_a_piece_at_a_time() -> None:
    """The first elements are there before the last ones are read."""

    def endless() -> Any:  # noqa: ANN401 - an iterator without an end
        yield codecs.BOM_UTF8 + b"["
        while True:
            yield b'{"a": [1, 2]},'

    elements = split_array(endless(), "x.json", LIMIT)

    assert [next(elements) for _ in range(3)] == [(n, b'{"a": [1, 2]}') for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b'[{"a":1},{"a":', "breaks off in element 2", id="cut off"),
        pytest.param(b"", "breaks off in element 1", id="empty"),
        pytest.param(b'{"a":1}', "not a JSON array", id="object"),
        pytest.param(b"[1] [2]", "text around", id="two arrays"),
        pytest.param(b"[1] x", "text after the end", id="text behind"),
        pytest.param(b"x [1]", "text around", id="text in front"),
    ],
)
def test_what_is_no_array_is_reported(data: bytes, reason: str) -> None:
    """The reason names the file."""
    with pytest.raises(InputError, match=f"reading x.json failed: .*({reason})"):
        split(data)
