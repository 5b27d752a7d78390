"""Tests of the lines that wait for CloudWatch Logs."""

from __future__ import annotations

import json
import threading
import tracemalloc
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.logs.backlog import KEEPING, LARGEST_BATCH, MOST_EVENTS, OVERHEAD, Backlog

NOW: Final = 1_790_000_000.0
DAY: Final = 86_400.0
LINE: Final = b"x" * 100
ROOM: Final = (len(LINE) + KEEPING) * 10
"""Bytes for ten lines."""


def gap(count: int) -> bytes:
    """Return a line for a gap of this many lines."""
    return b"%d missing" % count


def waiting(backlog: Backlog, now: float = NOW) -> list[bytes]:
    """Return the lines of the next batch."""
    return [line for _, line in backlog.batch(MOST_EVENTS, now)]


def numbered(count: int, start: int = 0) -> list[bytes]:
    """Return different lines, each as long as LINE."""
    return [b"%0100d" % number for number in range(start, start + count)]


def test_lines_wait_in_order_until_they_are_removed() -> None:
    """A batch that was not taken is the next one again."""
    backlog = Backlog(ROOM)
    backlog.add(NOW, [b"a", b"b"])
    backlog.add(NOW, [b"c"])
    assert waiting(backlog) == waiting(backlog) == [b"a", b"b", b"c"]
    backlog.remove(2)
    assert waiting(backlog) == [b"c"]


def test_what_does_not_fit_is_dropped_and_counted() -> None:
    """The lines that wait stay, those that come are dropped."""
    backlog = Backlog(ROOM)
    backlog.add(NOW, numbered(13))
    assert (len(backlog), backlog.dropped, backlog.full) == (10, 3, True)
    assert waiting(backlog) == numbered(10)


def test_lines_are_taken_again_when_half_of_the_room_is_free() -> None:
    """The line of the gap is in the place of the lines that are missing."""
    backlog = Backlog(ROOM)
    backlog.add(NOW, numbered(12))
    backlog.remove(4)
    assert backlog.end_gap(gap, NOW) is None
    backlog.add(NOW, numbered(1, start=12))
    backlog.remove(1)
    assert backlog.end_gap(gap, NOW) == b"3 missing"
    assert backlog.end_gap(gap, NOW) is None
    backlog.add(NOW, numbered(1, start=13))
    assert waiting(backlog) == [*numbered(5, start=5), b"3 missing", *numbered(1, start=13)]
    assert not backlog.full


def test_refused_lines_are_missing_as_well() -> None:
    """What CloudWatch Logs refuses leaves a gap, too."""
    backlog = Backlog(ROOM)
    backlog.add(NOW, numbered(2))
    backlog.remove(2, refused=1)
    assert backlog.end_gap(gap, NOW) == b"1 missing"
    assert backlog.dropped == 1


def test_a_closed_backlog_takes_nothing_and_says_at_once_what_is_missing() -> None:
    """There is no later moment for it."""
    backlog = Backlog(ROOM)
    backlog.add(NOW, numbered(11))
    backlog.close()
    backlog.add(NOW, [b"late"])
    assert backlog.end_gap(gap, NOW) == b"1 missing"
    assert waiting(backlog) == [*numbered(10), b"1 missing"]
    assert backlog.dropped == 1


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        pytest.param([b"x"] * (MOST_EVENTS + 1), MOST_EVENTS, id="events"),
        pytest.param([b"x" * 1000] * 1100, LARGEST_BATCH // (1000 + OVERHEAD), id="bytes"),
        pytest.param([b"x" * (LARGEST_BATCH - OVERHEAD)] * 2, 1, id="one event of the largest"),
    ],
)
def test_a_batch_is_what_one_request_takes(lines: list[bytes], count: int) -> None:
    """The limits are those of PutLogEvents."""
    backlog = Backlog(2**30)
    backlog.add(NOW, lines)
    assert backlog.batch_waits
    assert len(waiting(backlog)) == count


def test_a_batch_spans_a_day_at_most() -> None:
    """PutLogEvents refuses a longer one."""
    backlog = Backlog(ROOM)
    for number, at in enumerate([NOW - 3 * DAY, NOW - 2 * DAY, NOW - 2 * DAY + 1]):
        backlog.add(at, [b"%d" % number])
    assert waiting(backlog) == [b"0", b"1"]
    backlog.remove(2)
    assert waiting(backlog) == [b"2"]


def test_a_line_from_the_future_is_sent_as_of_now() -> None:
    """If the clock was ahead and was set back, CloudWatch Logs would refuse the line's time."""
    backlog = Backlog(ROOM)
    backlog.add(NOW + 10 * DAY, [b"ahead"])
    backlog.add(NOW, [b"right"])
    assert [at for at, _ in backlog.batch(MOST_EVENTS, NOW + 1)] == [NOW + 1, NOW]


def test_a_wait_ends_with_the_first_line_a_full_buffer_and_the_end() -> None:
    """It does not end with each line, which would cost a turn each."""
    backlog = Backlog(ROOM)
    backlog.add(NOW, numbered(1))
    seen = backlog.wait(60, 0)
    backlog.add(NOW, numbered(1))
    assert backlog.wait(0, seen) == seen
    backlog.add(NOW, numbered(9))
    full = backlog.wait(60, seen)
    backlog.close()
    assert len({seen, full, backlog.wait(60, full)}) == 3


def test_a_wait_ends_while_another_thread_writes() -> None:
    """The line may come before the wait or in it."""
    backlog = Backlog(ROOM)
    writer = threading.Thread(target=backlog.add, args=(NOW, [b"x"]))
    writer.start()
    assert backlog.wait(60, 0) == 1
    writer.join()


STEPS: Final = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 30)),
        st.tuples(st.just("send"), st.integers(1, 12)),
        st.tuples(st.just("refuse"), st.integers(1, 3)),
    ),
    max_size=60,
)


@given(STEPS)
def test_every_line_is_sent_waits_or_is_in_a_counted_gap(steps: list[tuple[str, int]]) -> None:
    """Whatever happens: the order stays, gaps have the right sizes, and memory has its limit."""
    backlog, arrived, written = Backlog(ROOM), [], 0
    for kind, amount in steps:
        if kind == "add":
            backlog.add(NOW, [b"%0100d" % number for number in range(written, written + amount)])
            written += amount
        else:
            batch = [line for _, line in backlog.batch(amount, NOW)]
            refused = len(batch) if kind == "refuse" else 0
            backlog.remove(len(batch), refused)
            arrived += batch[refused:]
        backlog.end_gap(lambda count: b'{"missing":%d}' % count, NOW)
        assert len(backlog) * (KEEPING + 100) <= ROOM + KEEPING + 100
    backlog.close()
    backlog.end_gap(lambda count: b'{"missing":%d}' % count, NOW)
    arrived += waiting(backlog)
    lines = [line for line in arrived if not line.startswith(b"{")]
    gaps = [json.loads(line)["missing"] for line in arrived if line.startswith(b"{")]
    assert lines == sorted(set(lines))
    # A gap's line may itself be refused; the next one then counts it.
    assert len(lines) + backlog.dropped >= written
    assert sum(gaps) <= backlog.dropped
    if not any(kind == "refuse" for kind, _ in steps):
        assert sum(gaps) == backlog.dropped == written - len(lines)


@pytest.mark.parametrize("length", [1, 500, 100_000])
def test_the_lines_take_no_more_memory_than_the_limit(length: int) -> None:
    """What Python needs for a line is counted with its bytes."""
    limit = 4 * 2**20
    tracemalloc.start()
    backlog = Backlog(limit)
    number = 0
    while not backlog.full:
        backlog.add(NOW + number, [b"%0*d" % (length, number)])
        number += 1
    memory, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.8 * limit < memory < limit
