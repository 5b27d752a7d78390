"""Tests of the messages in flight."""

from __future__ import annotations

import threading

import pytest
from support.fakes.consuming import START, FakeClock, FakeQueue, FakeSink, delivery
from support.fakes.stopping import FakeStop

from consumer.attempt import Attempt, AttemptResult
from consumer.capacity import HandlingTimes
from consumer.clock import SystemThreads
from consumer.flight.message import Left, Unsettled
from consumer.in_flight import Ended, InFlight
from consumer.ports import Ports


def done(
    number: int, result: AttemptResult = AttemptResult.PROCESSED, duration: float = 0
) -> Attempt:
    """Build the attempt of a message."""
    return Attempt(delivery(number), result, None, duration, START)


class Bench:
    """Messages in flight, received at time 0 and hidden for 120 s."""

    def __init__(self, count: int) -> None:
        """Receive so many messages."""
        self.clock = FakeClock()
        ports = Ports(FakeQueue(), FakeSink(), self.clock, FakeStop(), SystemThreads())
        self.in_flight = InFlight(ports, 120, HandlingTimes(30))
        self.in_flight.add([delivery(number) for number in range(1, count + 1)])

    def ended(self) -> Ended:
        """Return what has ended, without waiting for more."""
        return self.in_flight.next_ended(10, 0)


def test_a_finished_message_is_taken_once_and_stays_until_it_is_removed() -> None:
    """Only the thread that takes it acknowledges it, and until then it is kept hidden."""
    bench = Bench(2)
    assert bench.in_flight.start(1)
    bench.in_flight.finish(done(1))
    bench.in_flight.finish(done(1))
    assert bench.ended() == Ended([done(1)], [], [])
    assert len(bench.in_flight) == 2
    bench.in_flight.remove([delivery(1)])
    assert len(bench.in_flight) == 1
    bench.in_flight.end()
    assert not bench.ended()


def test_up_to_ten_are_taken_together() -> None:
    """One request acknowledges ten messages."""
    bench = Bench(12)
    for number in range(1, 13):
        bench.in_flight.finish(done(number))
    assert len(bench.ended().attempts) == 10
    assert len(bench.ended().attempts) == 2


def test_nothing_is_waited_for_when_no_message_is_unfinished() -> None:
    """The last message of a poll is acknowledged at once."""
    bench = Bench(1)
    bench.in_flight.finish(done(1))
    assert bench.in_flight.next_ended(10, 1e9).attempts == [done(1)]


def test_those_that_finish_soon_after_the_first_are_taken_with_it() -> None:
    """Ten quick messages share a request, although the first wakes the thread that takes them."""
    bench = Bench(2)
    bench.in_flight.finish(done(1))
    later = threading.Timer(0.05, bench.in_flight.finish, [done(2)])
    later.start()
    assert bench.in_flight.next_ended(10, 30).attempts == [done(1), done(2)]


def test_what_is_given_back_is_taken_and_its_handler_does_not_start() -> None:
    """It goes back to the queue untouched, and is in flight until SQS has confirmed that."""
    bench = Bench(3)
    bench.in_flight.give_back([delivery(2), delivery(3)])
    assert not bench.in_flight.start(2)
    assert bench.ended() == Ended([], [delivery(2), delivery(3)], [])
    assert len(bench.in_flight) == 3
    bench.in_flight.remove([delivery(2), delivery(3)])
    assert len(bench.in_flight) == 1


def test_a_message_that_is_visible_again_is_not_started() -> None:
    """The process was suspended, for instance, and another consumer may have the message."""
    bench = Bench(2)
    bench.clock.elapsed = 119
    assert bench.in_flight.start(1)
    bench.clock.elapsed = 120
    assert not bench.in_flight.start(2)
    assert bench.ended() == Ended([], [], [delivery(2)])


def test_a_message_whose_extension_was_refused_is_not_started() -> None:
    """SQS refuses because the receipt is no longer valid."""
    bench = Bench(1)
    assert bench.in_flight.visibility.stop_keeping(1, lost=True)
    assert not bench.in_flight.start(1)
    assert bench.ended().lost == [delivery(1)]


def test_finished_messages_are_not_among_the_unfinished() -> None:
    """A finished message is acknowledged even if a handler beside it is stuck."""
    bench = Bench(3)
    bench.in_flight.start(1)
    bench.in_flight.finish(done(1))
    bench.in_flight.start(2)
    assert bench.in_flight.give_back_unfinished() == [delivery(2)]
    assert bench.ended() == Ended([done(1)], [delivery(3), delivery(2)], [])


def test_a_handler_that_ends_after_its_message_was_taken_out_changes_nothing() -> None:
    """Another consumer may have the message by then."""
    bench = Bench(1)
    bench.in_flight.start(1)
    bench.in_flight.give_back_unfinished()
    bench.in_flight.finish(done(1))
    bench.in_flight.end()
    assert bench.ended() == Ended([], [delivery(1)], [])
    assert not bench.ended()


def test_what_sqs_has_not_confirmed_can_be_asked_for_again() -> None:
    """A thread that hangs in a request leaves it to another one; delays count from the decision."""
    bench = Bench(4)
    bench.in_flight.decide([delivery(1)], [(delivery(2), 30)])
    bench.in_flight.decide([], [(delivery(3), 0)], untouched=True)
    bench.clock.elapsed = 12
    assert bench.in_flight.unsettled() == Unsettled(
        [delivery(1)], [(delivery(2), 18)], [(delivery(3), 0)]
    )
    assert bench.in_flight.left() == Left([delivery(n) for n in (1, 2, 3, 4)], [delivery(1)])
    bench.in_flight.remove([delivery(n) for n in (1, 2, 3)])
    assert bench.in_flight.unsettled() == Unsettled([], [], [])


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (AttemptResult.PROCESSED, 2),
        (AttemptResult.FAILED, 2),
        (AttemptResult.TIMED_OUT, 2),
        (AttemptResult.INVALID, 30),
        (AttemptResult.DUPLICATE, 30),
        (AttemptResult.CRASHED, 30),
    ],
)
def test_only_handlers_are_measured(result: AttemptResult, expected: float) -> None:
    """An invalid message takes no time, which says nothing about the next one."""
    bench = Bench(1)
    bench.in_flight.finish(done(1, result, 2))
    assert bench.in_flight.p95() == expected


def test_who_waits_for_room_goes_on_when_messages_are_removed_or_at_a_stop() -> None:
    """The worker's thread waits in these methods."""
    bench = Bench(2)
    threading.Timer(0.02, bench.in_flight.remove, [[delivery(1)]]).start()
    bench.in_flight.wait_for_room(1)
    assert len(bench.in_flight) == 1
    threading.Timer(0.02, bench.in_flight.close, [30]).start()
    bench.in_flight.wait_until_acknowledged()
    bench.in_flight.wait_for_room(0)
    assert bench.in_flight.deadline == 30


def test_a_stop_waits_for_handlers_and_not_for_requests() -> None:
    """A request that hangs is made again; a handler is given all of its time."""
    bench = Bench(3)
    bench.in_flight.wait_until_finished(0.01)
    bench.in_flight.finish(done(1))
    threading.Timer(0.02, bench.in_flight.give_back, [[delivery(2)]]).start()
    threading.Timer(0.04, bench.in_flight.finish, [done(3)]).start()
    bench.in_flight.wait_until_finished(1e9)
    assert len(bench.in_flight) == 3
