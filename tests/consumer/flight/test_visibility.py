"""Tests of the times until which SQS hides messages in flight."""

from __future__ import annotations

import threading

from support.fakes.consuming import FakeClock, FakeQueue, FakeSink, delivery
from support.fakes.stopping import FakeStop

from consumer.capacity import HandlingTimes
from consumer.clock import SystemThreads
from consumer.in_flight import InFlight
from consumer.ports import Ports

HOUR = 3600


class Bench:
    """Messages in flight, received at time 0 and hidden for 120 s."""

    def __init__(self, count: int) -> None:
        """Receive so many messages."""
        self.clock = FakeClock()
        ports = Ports(FakeQueue(), FakeSink(), self.clock, FakeStop(), SystemThreads())
        self.in_flight = InFlight(ports, 120, HandlingTimes(30))
        self.visibility = self.in_flight.visibility
        self.in_flight.add([delivery(number) for number in range(1, count + 1)])

    def due(self, before: float) -> list[int]:
        """Return the keys of the messages that are to be extended."""
        return [entry.delivery.key for entry in self.visibility.begin_extending(before)]


def test_messages_are_due_by_the_time_at_which_they_become_visible() -> None:
    """Messages are kept hidden until they are removed: waiting, running or finished."""
    bench = Bench(2)
    bench.in_flight.start(1)
    assert bench.due(119) == []
    assert bench.due(120) == [1, 2]
    bench.visibility.extended(1, 180)
    assert bench.due(179) == [2]
    assert bench.visibility.next_due() == 120


def test_nothing_in_flight_means_nothing_to_extend() -> None:
    """With nothing in flight there is neither a due time nor a message to extend."""
    bench = Bench(0)
    assert bench.visibility.next_due() is None
    assert not bench.visibility.stop_keeping(1, lost=False)


def test_a_message_that_is_returned_is_not_extended_any_more() -> None:
    """It would be hidden again after its return."""
    bench = Bench(2)
    assert bench.visibility.stop_hiding([(delivery(1), 30)], 0) == {1: 30}
    assert bench.due(120) == [2]


def test_a_return_waits_until_the_extension_of_its_message_is_over() -> None:
    """Otherwise the extension could be carried out after the return."""
    bench = Bench(2)
    due = bench.visibility.begin_extending(120)
    returning = threading.Thread(
        target=bench.visibility.stop_hiding, args=([(delivery(1), 0)], 60.0)
    )
    returning.start()
    returning.join(0.1)
    assert returning.is_alive()
    bench.visibility.end_extending(due)
    returning.join(60)
    assert not returning.is_alive()


def test_a_return_does_not_wait_for_an_extension_that_hangs() -> None:
    """It waits for so many seconds, and not at all for the extension of another message."""
    bench = Bench(1)
    bench.visibility.begin_extending(120)
    bench.in_flight.add([delivery(2)])
    assert bench.visibility.stop_hiding([(delivery(1), 7)], 0.01) == {1: 7}
    assert bench.visibility.stop_hiding([(delivery(2), 7)], 1e9) == {2: 7}


def test_no_return_is_later_than_sqs_can_hide_a_message_whatever_the_wall_clock_says() -> None:
    """Twelve hours after the receive, by a clock that nobody sets."""
    bench = Bench(1)
    bench.clock.elapsed = 11.5 * HOUR
    bench.clock.time = lambda: 0.0  # type: ignore[method-assign]  # the clock of the wall was set
    assert bench.visibility.stop_hiding([(delivery(1), HOUR)], 0) == {1: HOUR // 2}


def test_what_others_may_have_received_is_late_unless_somebody_has_warned_of_it() -> None:
    """The process was suspended, for instance; an extension that SQS accepts proves nothing."""
    bench = Bench(3)
    everything = [delivery(number) for number in (1, 2, 3)]
    bench.visibility.extended(1, 240)
    bench.visibility.stop_keeping(2, lost=True)
    bench.clock.elapsed = 119
    assert bench.visibility.late(everything) == []
    bench.clock.elapsed = 120
    assert bench.visibility.late(everything) == [delivery(3)]
    bench.visibility.begin_extending(180)
    bench.visibility.extended(3, 240)
    assert bench.visibility.late(everything) == [delivery(3)]
