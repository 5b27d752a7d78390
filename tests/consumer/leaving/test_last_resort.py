"""Tests of the thread that ends the process whatever hangs."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest
from support.builders.consumers import consumer
from support.fakes.consuming import FakeClock, FakeQueue, FakeSink, delivery

from consumer.clock import SystemThreads
from consumer.leaving.last_resort import LastResort, say_left
from consumer.logs import events
from consumer.ports import Ports
from shared.errors import QueueRefusedError
from shared.stopping import SignalStop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE = 60.0
"""Seconds after which a test gives up waiting for a thread; a passing test never waits so long."""


class JoinedThreads(SystemThreads):
    """Threads whose end a test can wait for."""

    def __init__(self) -> None:
        """Start with none."""
        self._started: list[threading.Thread] = []

    def start(self, name: str, function: Callable[[], object]) -> threading.Thread:
        """Keep the thread."""
        thread = super().start(name, function)
        self._started.append(thread)
        return thread

    def join(self) -> None:
        """Wait for all of them."""
        for thread in self._started:
            thread.join(PATIENCE)


class Bench:
    """A consumer of which nothing runs, and its last resort."""

    def __init__(self, seconds: float) -> None:
        """Give it so many seconds to end."""
        self.stop = SignalStop()
        self.sink = FakeSink()
        ports = Ports(FakeQueue(), self.sink, FakeClock(), self.stop, SystemThreads())
        self.parts = consumer(ports)
        self.codes: list[int] = []
        self.threads = JoinedThreads()
        self._ended = threading.Event()
        self.last_resort = LastResort(self.stop, seconds, self.threads, self._end)

    def code(self) -> int:
        """Wait for the end and return the exit code."""
        assert self._ended.wait(PATIENCE)
        return self.codes[0]

    def second_signal(self) -> None:
        """Act as two signals do."""
        for number in (15, 15):
            self.stop._on_signal(number, None)

    def _end(self, code: int) -> None:
        self.codes.append(code)
        self._ended.set()


def left(caplog: pytest.LogCaptureFixture) -> list[tuple[Sequence[str], Sequence[str], bool]]:
    """Return what the lines about messages that are left say."""
    return [
        (record.fields["message_ids"], record.fields["handled_ids"], record.fields["receiving"])  # type: ignore[attr-defined]  # our log calls set it
        for record in caplog.records
        if record.message.startswith("messages left")
    ]


def test_the_process_ends_when_its_time_is_over(caplog: pytest.LogCaptureFixture) -> None:
    """Messages in hand are named, and those among them that were handled."""
    bench = Bench(seconds=0.01)
    bench.parts.in_flight.add([delivery(1), delivery(2)])
    bench.parts.in_flight.decide([delivery(2)], [])
    bench.last_resort.watch(bench.parts)
    bench.last_resort.start()
    bench.stop.request()
    assert bench.code() == 1
    assert left(caplog) == [(["id-1", "id-2"], ["id-2"], False)]


def test_a_second_signal_ends_it_before(caplog: pytest.LogCaptureFixture) -> None:
    """A receive under way may bring messages that nobody knows of."""
    bench = Bench(seconds=1e6)
    bench.parts.worker.receiving = True
    bench.last_resort.watch(bench.parts)
    bench.last_resort.start()
    bench.second_signal()
    assert bench.code() == 1
    assert left(caplog) == [([], [], True)]


@pytest.mark.parametrize("started", [False, True], ids=["while it starts", "when it works"])
def test_with_nothing_in_hand_the_exit_code_is_0(
    caplog: pytest.LogCaptureFixture, *, started: bool
) -> None:
    """Nothing is left then."""
    bench = Bench(seconds=0.01)
    if started:
        bench.last_resort.watch(bench.parts)
    bench.last_resort.start()
    bench.stop.request()
    assert bench.code() == 0
    assert [record.message for record in caplog.records] == ["ended at once"]


def test_a_consumer_that_failed_has_not_ended_in_order() -> None:
    """Its error, and not the time, is why it stops."""
    bench = Bench(seconds=0.01)
    bench.last_resort.watch(bench.parts)
    bench.last_resort.start()
    bench.parts.failures.add(QueueRefusedError("gone"))
    assert bench.code() == 1


def test_nobody_has_to_read_the_lines() -> None:
    """Standard output may be a pipe that is full: the process ends all the same."""
    bench = Bench(seconds=0.01)
    reading = threading.Event()

    class Full(logging.Handler):
        def emit(self, _record: logging.LogRecord) -> None:
            reading.wait(PATIENCE)

    handler = Full()
    events.root.handlers = [handler]
    bench.parts.in_flight.add([delivery(1)])
    bench.last_resort.watch(bench.parts)
    bench.last_resort.start()
    bench.stop.request()
    assert bench.code() == 1
    reading.set()
    bench.threads.join()


def test_nothing_is_said_where_nothing_is_left(caplog: pytest.LogCaptureFixture) -> None:
    """After an orderly end there is no such line."""
    assert not say_left(Bench(1).parts.in_flight, "why", receiving=False)
    assert caplog.records == []
