"""Tests of reading lines of files and pipes."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.stopping import FakeStop

from producer.errors import InputError, UsageError
from producer.messages.line_reader import AHEAD, CHUNK, chunks, opened, split_lines

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 20


@given(
    st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), max_size=10),
    st.booleans(),
    st.data(),
)
def test_lines_come_out_however_the_input_is_cut(
    lines: list[bytes],
    ended: bool,  # noqa: FBT001 - drawn, not passed
    data: st.DataObject,
) -> None:
    """Lines do not depend on the chunks; a line over the limit keeps its number, not its bytes."""
    text = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    pieces: list[bytes | None] = []
    while text:
        size = data.draw(st.integers(1, len(text)))
        pieces += [text[:size], None] if data.draw(st.booleans()) else [text[:size]]
        text = text[size:]

    found = list(split_lines(pieces, LIMIT))

    if not ended and lines and not lines[-1]:
        lines = lines[:-1]  # nothing after the last line's end is no line
    assert [entry for entry in found if entry] == [
        (number, line if len(line) <= LIMIT else None) for number, line in enumerate(lines, start=1)
    ]
    assert found.count(None) == pieces.count(None)


def test_a_line_of_any_length_is_not_kept_in_memory() -> None:
    """A gigabyte without a line break is read one chunk at a time."""
    chunk = b"x" * CHUNK
    pieces = (chunk for _ in range(16_384))

    assert list(split_lines(pieces, LIMIT)) == [(1, None)]


def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    """A file is read in chunks, without pauses and without a thread."""
    path = tmp_path / "lines"
    path.write_bytes(b"x" * (2 * CHUNK + 1))
    before = threading.active_count()

    with opened(str(path)) as file:
        pieces = list(chunks(file, str(path), FakeStop()))

    assert [len(piece or b"") for piece in pieces] == [CHUNK, CHUNK, 1]
    assert threading.active_count() == before


def test_a_pipe_is_read_as_it_comes_and_its_pauses_show(tmp_path: Path) -> None:
    """A pipe yields what was written, None while it is empty, and ends when it is closed."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    with opened(str(path)) as file:
        pieces = chunks(file, str(path), FakeStop())
        os.write(writer, b"one\n")
        assert next(pieces) == b"one\n"
        assert next(pieces) is None
        os.write(writer, b"two\n")
        assert next(piece for piece in pieces if piece) == b"two\n"
        os.close(writer)
        assert [piece for piece in pieces if piece] == []


def test_stopping_ends_the_reading_of_an_idle_pipe(tmp_path: Path) -> None:
    """A stop ends the reading of a pipe whose writer writes nothing."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    stop = FakeStop()
    with opened(str(path)) as file:
        pieces = chunks(file, str(path), stop)
        assert next(pieces) is None
        stop.request()

        assert list(pieces) == []
        os.close(writer)


def test_a_pipe_is_not_read_far_ahead(tmp_path: Path) -> None:
    """A writer that is faster than the queue has to wait, or it would fill the memory."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    holder = os.open(path, os.O_RDWR)
    os.set_blocking(holder, False)
    stop = FakeStop()
    with opened(str(path)) as file:
        pieces = chunks(file, str(path), stop)
        os.write(holder, b"x")
        next(pieces)
        taken = 0
        for _ in range(30):
            try:
                taken += os.write(holder, b"x" * CHUNK)
            except BlockingIOError:
                threading.Event().wait(0.01)
        stop.request()
        # Chunks read ahead, the one that the reader waits to put there, and what the pipe holds.
        assert taken <= (AHEAD + 3) * CHUNK
        os.close(holder)
        list(pieces)


@pytest.mark.parametrize(
    ("name", "reason"), [("absent", "No such file"), (".", "Is a directory")], ids=str
)
def test_what_cannot_be_opened_is_a_usage_error(tmp_path: Path, name: str, reason: str) -> None:
    """The error names the file and the reason."""
    with pytest.raises(UsageError, match=f"cannot read .*: {reason}"), opened(str(tmp_path / name)):
        pass


def test_an_input_that_cannot_be_read_any_further_is_reported() -> None:
    """A read error is reported; reading /proc/self/mem at address 0 is one on every Linux."""
    with (
        opened("/proc/self/mem") as file,
        pytest.raises(InputError, match=r"reading /proc/self/mem failed: "),
    ):
        list(chunks(file, "/proc/self/mem", FakeStop()))
