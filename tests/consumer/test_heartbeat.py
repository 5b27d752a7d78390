"""Tests of the heartbeat, which keeps messages hidden while their handlers run."""

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
    """A heartbeat with two messages in flight, received at time 0."""

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
    """One request extends all messages in flight, and not earlier."""
    bench = Bench()
    assert bench.beat_at(20) == 40
    assert bench.queue.changes == []
    assert bench.beat_at(60) == 60
    assert bench.queue.changes == [{"receipt-1": 120, "receipt-2": 120}]
    assert bench.beat_at(100) == 20
    assert len(bench.queue.changes) == 1


def test_each_message_has_its_own_time() -> None:
    """A message received later is extended later."""
    bench = Bench()
    bench.in_flight.add([message(3)], 30)
    bench.beat_at(60)
    bench.in_flight.mark_extended("receipt-1", 200)
    bench.beat_at(90)
    assert bench.queue.changes == [{"receipt-1": 120, "receipt-2": 120}, {"receipt-3": 120}]


def test_nothing_in_flight_costs_no_request() -> None:
    """With nothing in flight the next beat is half a timeout away, soon enough for new messages."""
    bench = Bench(visibility=2)
    bench.in_flight.close()
    assert bench.beat_at(100) == 1
    assert bench.queue.changes == []


@pytest.mark.parametrize("answer", [DOWN, (refusal(0, retry=True), refusal(1, retry=True))])
def test_a_beat_that_failed_is_repeated_soon(answer: Exception) -> None:
    """Half the timeout is left for further attempts after a beat that failed."""
    bench = Bench()
    bench.queue.visibility_answers = [answer]
    assert bench.beat_at(60) == 12
    bench.beat_at(72)
    assert bench.queue.changes == [{"receipt-1": 120, "receipt-2": 120}] * 2


def test_a_message_that_sqs_no_longer_has_is_not_extended_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Another consumer may have the message, so there is a warning, once."""
    bench = Bench()
    bench.queue.visibility_answers = [(refusal(1, retry=False),)]
    bench.beat_at(60)
    bench.beat_at(120)
    assert bench.queue.changes[1] == {"receipt-1": 120}
    assert [record.message for record in caplog.records] == [
        "message may be received again while its handler runs"
    ]


def test_a_message_that_was_acknowledged_during_the_beat_needs_no_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """SQS refuses to extend a message that has just been deleted; this needs no warning."""
    bench = Bench()
    due = bench.in_flight.due(0)
    bench.in_flight.close()
    bench.queue.visibility_answers = [(refusal(0, retry=False), refusal(1, retry=False))]
    bench.heartbeat._extend(due, 60)
    assert caplog.records == []


def test_no_message_is_hidden_beyond_twelve_hours(caplog: pytest.LogCaptureFixture) -> None:
    """SQS hides a message for 12 hours after its receive at most; extending does not reset them."""
    bench = Bench(visibility=5 * HOUR)
    for hours in (2.5, 5, 7.5, 10, 12):
        bench.beat_at(hours * HOUR)
    seconds = [change["receipt-1"] for change in bench.queue.changes]
    assert seconds == [5 * HOUR, 5 * HOUR, 4.5 * HOUR]
    assert [record.getMessage() for record in caplog.records] == [
        "message may be received again while its handler runs"
    ] * 2
    assert bench.beat_at(13 * HOUR) == 2.5 * HOUR


def test_a_message_is_not_extended_after_twelve_hours_of_failed_beats() -> None:
    """After twelve hours of failed beats no request asks for a negative timeout."""
    bench = Bench()
    bench.beat_at(12 * HOUR)
    assert bench.queue.changes == []


def test_a_beat_waits_while_messages_are_returned() -> None:
    """A beat during a return would hide the message that has just been returned."""
    bench = Bench()
    with bench.in_flight.visibility_lock:
        beat = threading.Thread(target=bench.beat_at, args=(60,))
        beat.start()
        bench.in_flight.close()
        assert bench.queue.changes == []
    beat.join(30)
    assert bench.queue.changes == []


class BeatenQueue(FakeQueue):
    """A queue whose requests a test can wait for."""

    def __init__(self) -> None:
        """Start with no request made."""
        super().__init__()
        self.beats = threading.Semaphore(0)

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
        """Signal the request to the test."""
        self.beats.release()
        return super().change_visibility(changes)


def test_beats_go_on_in_the_background_until_they_are_stopped() -> None:
    """Each beat sets the timer of the next one."""
    bench = Bench(visibility=1)
    queue = BeatenQueue()
    heartbeat = Heartbeat(queue, bench.in_flight, bench.clock, 1)
    bench.clock.elapsed = 10
    heartbeat.start()
    assert queue.beats.acquire(timeout=30)
    bench.clock.elapsed = 20
    assert queue.beats.acquire(timeout=30)
    heartbeat.stop()
