"""Tests of a wall clock that somebody sets while the consumer works."""

from __future__ import annotations

import pytest
from support.builders.consumers import consumer
from support.fakes.consuming import START, FakeClock, FakeQueue, FakeSink, delivery
from support.fakes.stopping import FakeStop

from consumer.attempt import Attempt, AttemptResult
from consumer.clock import SystemThreads
from consumer.heartbeat import Heartbeat
from consumer.pool.threads import PoolLimits
from consumer.ports import Ports

DAY = 86_400.0
JUMPS = pytest.mark.parametrize(
    "jump", [-400 * DAY, -3600.0, 3600.0, 400 * DAY], ids="{:+.0f} s".format
)


class SetClock(FakeClock):
    """A clock whose wall time can be set; the monotonic one goes on."""

    def __init__(self) -> None:
        """Start with a clock that is right."""
        super().__init__()
        self.jump = 0.0

    def time(self) -> float:
        """Return what the clock on the wall shows."""
        return super().time() + self.jump


class Bench:
    """A consumer whose handlers have 30 s, with a heartbeat."""

    def __init__(self) -> None:
        """Build the parts."""
        self.queue, self.clock, self.sink = FakeQueue(), SetClock(), FakeSink()
        ports = Ports(self.queue, self.sink, self.clock, FakeStop(), SystemThreads())
        self.parts = consumer(ports, limits=PoolLimits(1, 30))
        self.heartbeat = Heartbeat(ports, self.parts.in_flight, self.parts.pool, 120)


@JUMPS
def test_a_failed_message_comes_back_after_its_delay(jump: float) -> None:
    """The limit of twelve hours counts from its receive by a clock that nobody sets."""
    bench = Bench()
    bench.parts.in_flight.add([delivery(1)])
    bench.clock.elapsed, bench.clock.jump = 60, jump
    attempt = Attempt(delivery(1), AttemptResult.FAILED, "why", 1, START + 60 + jump)
    bench.parts.acknowledger.acknowledge([attempt])
    assert bench.queue.changes == [{"receipt-1": 30}]


@JUMPS
def test_a_message_is_extended_as_before(jump: float) -> None:
    """Neither too early nor for too short or too long a time."""
    bench = Bench()
    bench.parts.in_flight.add([delivery(1)])
    bench.clock.elapsed, bench.clock.jump = 59, jump
    assert bench.heartbeat.beat() == 12
    assert bench.queue.changes == []
    bench.clock.elapsed = 60
    assert bench.heartbeat.beat() == 60
    assert bench.queue.changes == [{"receipt-1": 120}]


@JUMPS
def test_a_message_is_not_taken_for_one_that_others_have(jump: float) -> None:
    """Its visibility timeout is not over, whatever the clock on the wall shows."""
    bench = Bench()
    bench.parts.in_flight.add([delivery(1)])
    bench.clock.elapsed, bench.clock.jump = 119, jump
    assert bench.parts.in_flight.visibility.late([delivery(1)]) == []
    assert bench.parts.in_flight.start(1)
