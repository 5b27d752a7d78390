"""Tests of the heartbeat, which keeps messages hidden while their handlers run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from support.fakes.consuming import (
    DOWN,
    START,
    FakeClock,
    FakeQueue,
    FakeSink,
    delivery,
    refusal,
)
from support.fakes.stopping import FakeStop

from consumer.capacity import HandlingTimes
from consumer.clock import SystemThreads
from consumer.heartbeat import Heartbeat
from consumer.in_flight import InFlight
from consumer.ports import Ports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.queue import Refusal

HOUR = 3600


class Limits:
    """A pool whose handlers have these deadlines, by key."""

    def __init__(self) -> None:
        """Start with no handler at work."""
        self.deadlines: dict[int, float] = {}

    def running(self) -> dict[int, float]:
        """Return the deadlines."""
        return self.deadlines


class Bench:
    """A heartbeat with two messages in flight, received at time 0."""

    def __init__(self, visibility: int = 120, queue: FakeQueue | None = None) -> None:
        """Build the parts."""
        self.queue = queue or FakeQueue()
        self.clock = FakeClock()
        self.limits = Limits()
        ports = Ports(self.queue, FakeSink(), self.clock, FakeStop(), SystemThreads())
        self.in_flight = InFlight(ports, visibility, HandlingTimes(0))
        self.in_flight.add([delivery(1), delivery(2)])
        self.heartbeat = Heartbeat(ports, self.in_flight, self.limits, visibility)

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
    bench.clock.elapsed = 30
    bench.in_flight.add([delivery(3)])
    bench.beat_at(60)
    bench.in_flight.visibility.extended(1, 320)
    bench.beat_at(90)
    assert bench.queue.changes == [{"receipt-1": 120, "receipt-2": 120}, {"receipt-3": 120}]


def test_nothing_in_flight_costs_no_request() -> None:
    """With nothing in flight the next beat is half a timeout away, soon enough for new messages."""
    bench = Bench(visibility=2)
    bench.in_flight.remove([delivery(1), delivery(2)])
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
    due = bench.in_flight.visibility.begin_extending(120)
    bench.in_flight.remove([delivery(1), delivery(2)])
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


def test_a_return_that_hangs_does_not_keep_other_messages_from_being_extended() -> None:
    """Only the message that is returned is left alone."""
    bench = Bench()
    bench.in_flight.visibility.stop_hiding([(delivery(1), 30)], 0)
    bench.beat_at(60)
    assert bench.queue.changes == [{"receipt-2": 120}]


def test_a_beat_that_fails_lets_its_messages_be_returned() -> None:
    """Returns wait only for beats that are under way."""
    bench = Bench()
    bench.queue.visibility_answers = [KeyError("Code")]
    with pytest.raises(KeyError):
        bench.beat_at(60)
    assert bench.in_flight.visibility.stop_hiding([(delivery(1), 30)], 1e9) == {1: 30}


class BeatenQueue(FakeQueue):
    """A queue whose requests a test can wait for."""

    def __init__(self) -> None:
        """Start with no request made."""
        super().__init__()
        self.beats = threading.Semaphore(0)

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
        """Signal the request to the test."""
        try:
            return super().change_visibility(changes)
        finally:
            self.beats.release()


def test_beats_go_on_in_the_background_until_they_are_stopped() -> None:
    """Each beat decides when the next one is."""
    queue = BeatenQueue()
    bench = Bench(1, queue)
    bench.clock.elapsed = 10
    bench.heartbeat.start()
    assert queue.beats.acquire(timeout=30)
    bench.clock.elapsed = 20
    assert queue.beats.acquire(timeout=30)
    bench.heartbeat.stop()


def test_a_message_that_arrives_late_is_extended_at_once() -> None:
    """The next regular beat would come in a minute, and SQS hides the message for 20 s more."""
    queue = BeatenQueue()
    bench = Bench(queue=queue)
    bench.heartbeat.start()
    bench.in_flight.add([delivery(3)], late=100)
    assert queue.beats.acquire(timeout=30)
    bench.heartbeat.stop()
    assert queue.changes == [{"receipt-3": 120}]


@pytest.mark.parametrize("error", [KeyError("Code"), TypeError("null"), MemoryError()], ids=repr)
def test_no_error_ends_the_beats(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Without further beats, all messages of slow handlers would be handled twice."""
    queue = BeatenQueue()
    queue.visibility_answers = [error]
    bench = Bench(1, queue)
    bench.clock.elapsed = 10
    bench.heartbeat.start()
    assert queue.beats.acquire(timeout=30)
    assert queue.beats.acquire(timeout=30)
    bench.heartbeat.stop()
    assert "heartbeat failed, trying again" in caplog.messages


def test_a_message_is_not_hidden_beyond_its_time_limit() -> None:
    """Its handler has 30 seconds from 60 on; five more are for ending it and returning it."""
    bench = Bench()
    bench.limits.deadlines = {1: START + 90}
    bench.beat_at(60)
    assert bench.queue.changes == [{"receipt-2": 120}]
    bench.beat_at(119)
    assert len(bench.queue.changes) == 1
    bench.limits.deadlines = {1: START + 119 + 40.5}
    bench.beat_at(119)
    assert bench.queue.changes[1] == {"receipt-1": 46}


def test_an_extended_limit_is_followed() -> None:
    """A handler that asked for more time keeps its message hidden for it."""
    bench = Bench(visibility=20)
    bench.limits.deadlines = {1: START + 30, 2: START + 300}
    bench.beat_at(10)
    assert bench.queue.changes == [{"receipt-1": 20, "receipt-2": 20}]
    bench.beat_at(20)
    assert bench.queue.changes[1] == {"receipt-1": 15, "receipt-2": 20}
    bench.beat_at(30)
    assert bench.queue.changes[2] == {"receipt-2": 20}


def test_more_than_ten_messages_take_several_requests() -> None:
    """SQS takes ten entries per request."""
    bench = Bench()
    bench.in_flight.add([delivery(number) for number in range(3, 26)])
    bench.beat_at(60)
    assert [len(change) for change in bench.queue.changes] == [10, 10, 5]
