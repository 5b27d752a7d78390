"""Tests of keeping messages hidden while they are handled."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from support.fakes.consuming import DOWN, FakeClock, FakeQueue, message, messages, refusal

from consumer.heartbeat import Heartbeat
from consumer.in_flight import InFlight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.queue import Refusal

HOUR = 3600


class Bench:
    """A heartbeat with a hand that took two messages at time 0."""

    def __init__(self, visibility: int = 120) -> None:
        """Build the parts."""
        self.queue = FakeQueue()
        self.clock = FakeClock()
        self.in_flight = InFlight()
        self.in_flight.add(messages(2), 0)
        self.heartbeat = Heartbeat(self.queue, self.in_flight, self.clock, visibility)

    def beat_at(self, seconds: float) -> float:
        """Beat at this time."""
        self.clock.elapsed = seconds
        return self.heartbeat.beat()


def test_visibility_is_extended_when_half_of_it_is_gone() -> None:
    """In one request for everything in in_flight, and not before."""
    bench = Bench()
    assert bench.beat_at(20) == 40
    assert bench.queue.changes == []
    assert bench.beat_at(60) == 60
    assert bench.queue.changes == [{"receipt-1": 120, "receipt-2": 120}]
    assert bench.beat_at(100) == 20
    assert len(bench.queue.changes) == 1


def test_each_message_has_its_own_time() -> None:
    """What was received later is extended later; what is settled, no more."""
    bench = Bench()
    bench.in_flight.add([message(3)], 30)
    bench.beat_at(60)
    bench.in_flight.mark_extended("receipt-1", 200)
    bench.beat_at(90)
    assert bench.queue.changes == [{"receipt-1": 120, "receipt-2": 120}, {"receipt-3": 120}]


def test_an_empty_hand_costs_no_request() -> None:
    """The next look is half a timeout away, in time for whatever comes in between."""
    bench = Bench(visibility=2)
    bench.in_flight.close()
    assert bench.beat_at(100) == 1
    assert bench.queue.changes == []


@pytest.mark.parametrize("answer", [DOWN, (refusal(0, retry=True), refusal(1, retry=True))])
def test_a_beat_that_failed_is_repeated_soon(answer: Exception) -> None:
    """Half the timeout is left for further attempts."""
    bench = Bench()
    bench.queue.visibility_answers = [answer]
    assert bench.beat_at(60) == 12
    bench.beat_at(72)
    assert bench.queue.changes == [{"receipt-1": 120, "receipt-2": 120}] * 2


def test_a_message_that_sqs_no_longer_knows_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    """It is somebody else's, which is worth a warning, once."""
    bench = Bench()
    bench.queue.visibility_answers = [(refusal(1, retry=False),)]
    bench.beat_at(60)
    bench.beat_at(120)
    assert bench.queue.changes[1] == {"receipt-1": 120}
    assert [record.message for record in caplog.records] == [
        "message may be received again while its handler runs"
    ]


def test_a_message_that_was_settled_during_the_beat_is_no_news(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Extending what has just been deleted is refused, and nothing is wrong."""
    bench = Bench()
    due = bench.in_flight.due(0)
    bench.in_flight.close()
    bench.queue.visibility_answers = [(refusal(0, retry=False), refusal(1, retry=False))]
    bench.heartbeat._extend(due, 60)
    assert caplog.records == []


def test_no_message_is_kept_beyond_twelve_hours(caplog: pytest.LogCaptureFixture) -> None:
    """SQS would refuse more: 12 hours from the receive, not reset by extending."""
    bench = Bench(visibility=5 * HOUR)
    for hours in (2.5, 5, 7.5, 10, 12):
        bench.beat_at(hours * HOUR)
    seconds = [change["receipt-1"] for change in bench.queue.changes]
    assert seconds == [5 * HOUR, 5 * HOUR, 4.5 * HOUR]
    assert [record.getMessage() for record in caplog.records] == [
        "message may be received again while its handler runs"
    ] * 2
    assert bench.beat_at(13 * HOUR) == 2.5 * HOUR


def test_beats_that_fail_for_twelve_hours_end_in_letting_go() -> None:
    """No request may ask for less than nothing."""
    bench = Bench()
    bench.beat_at(12 * HOUR)
    assert bench.queue.changes == []


def test_a_beat_waits_while_messages_are_sent_back() -> None:
    """Coming second, it would hide a message that has just been returned."""
    bench = Bench()
    with bench.in_flight.visibility_lock:
        beat = threading.Thread(target=bench.beat_at, args=(60,))
        beat.start()
        bench.in_flight.close()
        assert bench.queue.changes == []
    beat.join(30)
    assert bench.queue.changes == []


class BeatenQueue(FakeQueue):
    """Lets a test wait for a request."""

    def __init__(self) -> None:
        """Start with no request made."""
        super().__init__()
        self.beats = threading.Semaphore(0)

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
        """Tell the test."""
        self.beats.release()
        return super().change_visibility(changes)


def test_beats_go_on_in_the_background_until_they_are_stopped() -> None:
    """Each beat arms the next."""
    bench = Bench(visibility=1)
    queue = BeatenQueue()
    heartbeat = Heartbeat(queue, bench.in_flight, bench.clock, 1)
    bench.clock.elapsed = 10
    heartbeat.start()
    assert queue.beats.acquire(timeout=30)
    bench.clock.elapsed = 20
    assert queue.beats.acquire(timeout=30)
    heartbeat.stop()
