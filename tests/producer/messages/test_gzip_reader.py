"""Tests of reading gzip."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.errors import InputError
from producer.messages.gzip_reader import LARGEST, decompressed


def read(data: bytes, size: int = 7) -> bytes:
    """Return the bytes that come out of data in pieces of this size, with pauses between them."""
    pieces: list[bytes | None] = []
    for start in range(0, len(data), size):
        pieces += [data[start : start + size], None]
    found = list(decompressed(pieces, "x.gz"))
    assert found.count(None) == pieces.count(None)
    return b"".join(piece or b"" for piece in found)


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 50))
def test_gzip_comes_out_as_it_was(first: bytes, second: bytes, size: int) -> None:
    """However it is cut, also if it has two members and zeros at its end."""
    assert read(gzip.compress(first) + gzip.compress(second) + bytes(9), size) == first + second


@given(st.binary(max_size=300).filter(lambda data: not data.startswith(b"\x1f\x8b")))
def test_anything_else_stays_as_it_is(data: bytes) -> None:
    """Only gzip's own two first bytes make it gzip."""
    assert read(data) == data


def test_a_small_file_that_holds_much_is_read_in_parts() -> None:
    """Ten megabytes of zeros are ten kilobytes of gzip, and never in memory at once."""
    found = list(decompressed([gzip.compress(bytes(10_000_000))], "x.gz"))

    assert max(len(piece or b"") for piece in found) <= LARGEST


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(gzip.compress(b"x" * 99)[:-3], "end too early", id="cut off"),
        pytest.param(b"\x1f\x8bnonsense", "damaged gzip data", id="nonsense"),
        pytest.param(gzip.compress(b"x") + b"more", "damaged gzip data", id="text behind"),
    ],
)
def test_damaged_gzip_is_reported(data: bytes, reason: str) -> None:
    """What was read before is sent; the reason names the file."""
    with pytest.raises(InputError, match=f"reading x.gz failed: .*{reason}"):
        read(data, 1000)
