"""Tests of how much a consumer takes in hand."""

from __future__ import annotations

import pytest

from consumer.capacity import (
    MOST_PER_SLOT,
    HandlingTimes,
    finishable,
    processes,
    receive_size,
    room,
    slots,
)


@pytest.mark.parametrize(
    ("workers", "own_handler", "expected"),
    [
        pytest.param(None, True, 8, id="own handler: a process for each CPU"),
        pytest.param(None, False, 0, id="default handler: threads"),
        pytest.param(3, False, 3, id="as many as are set"),
        pytest.param(0, True, 0, id="threads because they are set"),
    ],
)
def test_handlers_run_in_processes_if_they_are_the_users(
    workers: int | None, *, own_handler: bool, expected: int
) -> None:
    """The default handler cannot harm anything, so it needs no process."""
    assert processes(workers, 8, own_handler=own_handler) == expected


def test_every_process_handles_as_many_messages_as_the_concurrency_says() -> None:
    """Without processes, the threads of the consumer count as one."""
    assert slots(2, 5, 8, own_handler=True) == 10
    assert slots(0, 5, 8, own_handler=True) == 5


@pytest.mark.parametrize(
    ("in_hand", "seconds_each", "drain", "expected"),
    [
        pytest.param(7, 8, 30, 5, id="three each within the drain"),
        pytest.param(0, 31, 30, 4, id="slower than the drain: one each"),
        pytest.param(9, 8, 0, 0, id="never less than none"),
        pytest.param(0, 0, 0, 4 * MOST_PER_SLOT, id="no time at all: not without end"),
        pytest.param(0, 0.001, 30, 4 * MOST_PER_SLOT, id="very fast: not without end"),
    ],
)
def test_no_more_is_received_than_a_drain_can_finish(
    in_hand: int, seconds_each: float, drain: float, expected: int
) -> None:
    """Four slots finish so many messages of that length before the drain's end."""
    assert room(4, in_hand, seconds_each, drain) == expected


@pytest.mark.parametrize(
    ("running", "seconds_each", "left", "expected"),
    [
        pytest.param(1, 3, 10, 2, id="three in all, one of which runs"),
        pytest.param(1, 30, 30, 0, id="only what runs"),
        pytest.param(1, 0, 30, MOST_PER_SLOT - 1, id="no time at all"),
        pytest.param(0, 0, 0, 0, id="no time left"),
        pytest.param(2, 3, 1, 0, id="less time than one message takes"),
    ],
)
def test_a_stop_keeps_what_can_still_be_finished(
    running: int, seconds_each: float, left: float, expected: int
) -> None:
    """One slot handles the messages that wait after the one that runs."""
    assert finishable(1, running, seconds_each, left) == expected


@pytest.mark.parametrize(
    ("in_hand", "free", "limit", "expected"),
    [
        pytest.param(0, 40, 10, 10, id="nothing in hand: a full receive"),
        pytest.param(3, 1, 10, 1, id="an idle slot: whatever fits"),
        pytest.param(4, 3, 10, 3, id="busy, and half of it would fit"),
        pytest.param(6, 1, 10, 0, id="busy, and one more is not worth a request"),
        pytest.param(35, 5, 10, 0, id="busy with plenty"),
        pytest.param(6, 4, 1, 1, id="one is all that the poll may take"),
        pytest.param(40, 0, 10, 0, id="no room"),
    ],
)
def test_a_receive_is_worth_its_request(in_hand: int, free: int, limit: int, expected: int) -> None:
    """Four slots: one that idles gets work at once, busy ones get it in bulk."""
    assert receive_size(4, in_hand, free, limit) == expected


def test_the_handling_time_is_a_moving_percentile() -> None:
    """One message in twenty may take longer, and after a hundred others none is remembered."""
    times = HandlingTimes(30)
    assert times.p95() == 30
    times.add(2)
    assert times.p95() == 2
    for _ in range(18):
        times.add(1)
    times.add(9)
    assert times.p95() == 2
    for _ in range(100):
        times.add(1)
    assert times.p95() == 1


def test_durations_of_several_messages_count_as_one_by_one() -> None:
    """The oldest are forgotten in both cases."""
    several, singly = HandlingTimes(30.0), HandlingTimes(30.0)
    durations = [float(number) for number in range(150)]
    several.extend(durations)
    for duration in durations:
        singly.add(duration)
    assert several.p95() == singly.p95() == 144.0
