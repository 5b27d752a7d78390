"""Tests of the worker, step by step over a queue in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from support.builders.consumers import consumer
from support.fakes.consuming import (
    CIVIC,
    DOWN,
    START,
    FakeClock,
    FakeQueue,
    FakeSink,
    message,
    messages,
)
from support.fakes.stopping import FakeStop

from consumer.clock import SystemThreads
from consumer.cycle import Receive, ReceiveEnded, ReceiveFailed, Rhythm
from consumer.handlers import log_only
from consumer.ports import Ports
from shared.errors import QueueRefusedError, QueueUnavailableError

if TYPE_CHECKING:
    from support.builders.consumers import HandlerCode

    from consumer.handlers.api import Message
    from shared.queue import ReceivedMessage

LONG_POLL: Final = Receive(10, 20)


class Bench:
    """A worker over fakes."""

    def __init__(
        self,
        answers: list[list[ReceivedMessage] | Exception],
        handler: HandlerCode = log_only,
        *,
        rhythm: Rhythm | None = None,
        waits: int = 1,
        threads: int = 1,
    ) -> None:
        """Build the parts; the worker stops at its `waits`-th rest."""
        self.queue = FakeQueue(answers)
        self.sink = FakeSink()
        self.clock = FakeClock()
        self.stop = FakeStop(stop_in_wait=waits)
        ports = Ports(self.queue, self.sink, self.clock, self.stop, SystemThreads())
        built = consumer(ports, handler, rhythm=rhythm, threads=threads)
        self.worker, self.in_flight = built.worker, built.in_flight


def test_polls_processes_and_waits_one_minute() -> None:
    """With the defaults a worker does what the exercise asks for."""
    bench = Bench([messages(10)], waits=2)
    bench.worker.run()
    assert bench.queue.receives == [(10, 20, 120), (10, 20, 120)]
    assert bench.queue.deleted == [f"receipt-{number}" for number in range(1, 11)]
    assert [line["message_id"] for line in bench.sink.events("message")] == [
        f"id-{number}" for number in range(1, 11)
    ]
    assert bench.stop.waits == [60, 60]


def test_a_batch_takes_two_requests_and_one_write() -> None:
    """Ten messages take one receive and one delete, and no other request."""
    bench = Bench([messages(10)])
    bench.worker.perform(LONG_POLL)
    assert (len(bench.queue.receives), len(bench.queue.deletes)) == (1, 1)
    assert bench.queue.changes == []
    assert bench.sink.writes == [10]


def test_each_cycle_that_received_something_leaves_one_metrics_line() -> None:
    """The line holds the sums over all receives of a cycle; an empty cycle has no line."""

    def handler(got: Message) -> None:
        if got.id == "id-2":
            raise ValueError

    poison = message(3, "poison")
    bench = Bench(
        [[message(1), message(2), poison], [message(4)], []],
        handler,
        rhythm=Rhythm(messages_per_poll=20),
        waits=3,
    )
    bench.worker.run()
    [line] = bench.sink.events("cycle")
    assert line["QueueName"] == "work"
    assert [line[f"Messages{name}"] for name in ("Received", "Processed", "Failed", "Invalid")] == [
        4, 2, 1, 1,
    ]  # fmt: skip
    assert line["deleted"] == 2


def test_poison_does_not_block_its_batch() -> None:
    """The valid messages are processed and deleted, poison is returned at once."""
    bench = Bench([[message(1), message(2, "hello"), message(3)]])
    bench.worker.perform(LONG_POLL)
    assert [line["outcome"] for line in bench.sink.lines] == ["processed", "invalid", "processed"]
    assert bench.queue.deleted == ["receipt-1", "receipt-3"]
    assert bench.queue.changes == [{"receipt-2": 0}]


def test_poison_uses_up_the_quota_of_a_poll() -> None:
    """Poison that is received again at once must not keep the worker from resting."""
    poison: list[list[ReceivedMessage] | Exception] = [
        [message(1, "hello", count)] for count in range(1, 100)
    ]
    bench = Bench(poison, rhythm=Rhythm(messages_per_poll=5))
    bench.worker.run()
    assert len(bench.queue.receives) == 5


def test_the_latest_valid_year_follows_the_clock() -> None:
    """Next year's models are valid, those of the year after are not."""
    next_year = message(1, CIVIC.replace("2020", "2027"))
    after_next = message(2, CIVIC.replace("2020", "2028"))
    bench = Bench([[next_year, after_next]])
    bench.worker.perform(LONG_POLL)
    assert [line["outcome"] for line in bench.sink.lines] == ["processed", "invalid"]


def test_a_failed_message_comes_back_ever_later() -> None:
    """The delay is 30 seconds after the first failure, and doubles with each further one."""

    def handler(_message: Message) -> None:
        raise ConnectionError("the database is away")

    bench = Bench([[message(1, receive_count=1), message(2, receive_count=3)]], handler)
    bench.worker.perform(LONG_POLL)
    assert bench.queue.changes == [{"receipt-1": 30, "receipt-2": 120}]
    assert bench.sink.lines[0]["reason"] == "ConnectionError: the database is away"


def test_slow_work_is_acknowledged_in_between() -> None:
    """A crash late in a batch must not repeat work that was finished minutes before."""
    bench = Bench([messages(4)], lambda _: bench.clock.sleep(0.6))
    bench.worker.perform(LONG_POLL)
    assert [len(batch) for batch in bench.queue.deletes] == [2, 2]


def test_several_messages_are_handled_at_once_and_acknowledged_together() -> None:
    """Handlers run in threads; the worker's thread acknowledges."""
    bench = Bench([messages(10)], threads=4)
    bench.worker.perform(LONG_POLL)
    assert [len(batch) for batch in bench.queue.deletes] == [10]
    assert len(bench.in_flight) == 0


def test_a_first_receive_that_fails_is_raised() -> None:
    """An endpoint that never answered may be wrong, so the error ends the worker."""
    with pytest.raises(QueueUnavailableError):
        Bench([DOWN]).worker.run()


def test_later_outages_are_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """The worker waits for a queue that has answered before, with a warning each time."""
    bench = Bench([[], DOWN, DOWN, DOWN, messages(1)], waits=5)
    bench.worker.run()
    assert bench.stop.waits == [60, 1, 2, 4, 60]
    assert bench.queue.deleted == ["receipt-1"]
    assert [r.getMessage() for r in caplog.records] == ["queue unavailable"] * 3


def test_a_refusal_is_raised() -> None:
    """A refusal, such as that of a deleted queue, ends the worker."""
    with pytest.raises(QueueRefusedError):
        Bench([[], QueueRefusedError("gone")], waits=9).worker.run()


def test_what_a_receive_brings_after_a_stop_is_returned() -> None:
    """Messages of a receive that was under way at the stop are returned, not handled."""
    bench = Bench([messages(3)])
    bench.queue.on_receive = bench.stop.request
    bench.worker.run()
    assert bench.queue.changes == [{"receipt-1": 0, "receipt-2": 0, "receipt-3": 0}]
    assert (bench.queue.deleted, bench.sink.events("message")) == ([], [])
    assert len(bench.in_flight) == 0


def test_closing_during_a_batch_ends_it() -> None:
    """The running message is finished and acknowledged; the others were taken out."""
    bench = Bench([messages(3)], lambda _: waiting.extend(bench.in_flight.close()))
    waiting: list[ReceivedMessage] = []
    bench.worker.perform(LONG_POLL)
    assert waiting == [message(2), message(3)]
    assert bench.queue.deleted == ["receipt-1"]


def test_steps_return_their_results() -> None:
    """`perform` returns the results by which the rhythm decides."""
    bench = Bench([messages(2), [], DOWN])
    assert bench.worker.perform(LONG_POLL) == ReceiveEnded(2)
    assert bench.worker.perform(LONG_POLL) == ReceiveEnded(0)
    assert bench.worker.perform(LONG_POLL) == ReceiveFailed()
    assert not bench.worker.receiving
    bench.worker.report_cycle()
    assert bench.sink.events("cycle")[0]["_aws"]["Timestamp"] == START * 1000
