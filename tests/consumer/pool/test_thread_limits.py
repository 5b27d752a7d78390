"""Tests of time limits in threads, and of the threads that are left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest
from support.builders.thread_pools import PATIENCE, Bench, of

from consumer.attempt import AttemptResult
from consumer.pool.threads import MOST_LEFT, TooManyLeftError

if TYPE_CHECKING:
    from consumer.handlers.api import Message

SECONDS: Final = 0.2
"""Time limit of a message."""


def test_a_message_over_its_limit_is_given_up_and_the_next_one_handled(
    benches: list[Bench], caplog: pytest.LogCaptureFixture
) -> None:
    """The only thread hangs, and is replaced; a line has the place where it hangs."""

    def handler(got: Message) -> None:
        if got.id == "id-1":
            bench.release.wait(PATIENCE)

    bench = Bench(handler, seconds=SECONDS)
    benches.append(bench)
    bench.pool.submit(of(1, 2))
    assert bench.finished(2) == [(1, AttemptResult.TIMED_OUT), (2, AttemptResult.PROCESSED)]
    assert bench.attempts[0].duration >= SECONDS
    assert "the time limit" in (bench.attempts[0].reason or "")
    [record] = caplog.records
    fields = record.fields  # type: ignore[attr-defined]  # our log calls set it
    assert record.getMessage() == "handler over its time limit, its thread is left"
    assert fields["message_ids"] == ["id-1"]
    assert "bench.release.wait" in fields["stack"]


def test_what_a_given_up_handler_does_in_the_end_changes_nothing(benches: list[Bench]) -> None:
    """Its message may have been handled by another consumer by then."""
    bench = Bench(lambda _: bench.release.wait(PATIENCE), seconds=SECONDS)
    benches.append(bench)
    bench.pool.submit(of(1))
    assert bench.finished(1) == [(1, AttemptResult.TIMED_OUT)]
    assert not bench.pool.close(0)
    bench.release.set()
    bench.until(lambda: bench.pool.close(0.01))
    assert len(bench.attempts) == 1


def test_a_handler_can_ask_for_more_time(benches: list[Bench]) -> None:
    """The deadline moves, and the handler ends in time."""

    def handler(got: Message) -> None:
        got.extend(PATIENCE)
        moved.append(bench.pool.running()[1] - time.time())
        time.sleep(2 * SECONDS)

    moved: list[float] = []
    bench = Bench(handler, seconds=SECONDS)
    benches.append(bench)
    bench.pool.submit(of(1))
    assert bench.finished(1) == [(1, AttemptResult.PROCESSED)]
    assert moved[0] == pytest.approx(PATIENCE, abs=5)
    assert bench.pool.running() == {}


def test_too_many_threads_that_are_left_break_the_pool(benches: list[Bench]) -> None:
    """A process does not get such threads back, so it has to end."""
    bench = Bench(lambda _: bench.release.wait(PATIENCE), threads=MOST_LEFT + 1, seconds=SECONDS)
    benches.append(bench)
    bench.pool.submit(of(*range(1, MOST_LEFT + 2)))
    bench.until(lambda: bench.broken)
    assert isinstance(bench.broken[0], TooManyLeftError)
    assert len(bench.finished(MOST_LEFT + 1)) == MOST_LEFT + 1
