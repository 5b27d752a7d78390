"""Tests of running the worker and of its shutdown."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from support.builders.consumers import consumer
from support.fakes.consuming import FakeClock, FakeQueue, FakeSink, messages

from consumer.clock import SystemClock, SystemThreads
from consumer.flight import settlement
from consumer.leaving.drain import Drain
from consumer.pool.threads import PoolLimits, TooManyLeftError
from consumer.ports import Ports
from consumer.supervise import Ending, ShutdownLimits, supervise, within
from shared.errors import QueueRefusedError
from shared.stopping import SignalStop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from consumer.handlers.api import Message
    from consumer.ports import Clock
    from shared.queue import ReceivedMessage, Refusal

PATIENCE = 30.0
"""Seconds after which a test gives up waiting for a thread; a passing test never waits so long."""


class WatchedQueue(FakeQueue):
    """A queue that signals when messages were returned."""

    def __init__(self, answers: list[list[ReceivedMessage] | Exception]) -> None:
        """Start with nothing returned."""
        super().__init__(answers)
        self.returned = threading.Event()

    def change_visibility(self, changes: Sequence[tuple[str, int]]) -> tuple[Refusal, ...]:
        """Note the request, then signal it."""
        answer = super().change_visibility(changes)
        self.returned.set()
        return answer


class Bench:
    """A real worker with real threads over a queue in memory."""

    def __init__(self, answers: list[list[ReceivedMessage] | Exception], threads: int = 1) -> None:
        """Build the parts."""
        self.queue = WatchedQueue(answers)
        self.sink = FakeSink()
        self.clock: Clock = FakeClock()
        self.stop = SignalStop()
        self.threads = threads
        self.message_seconds = 30.0

    def run(
        self, handler: Callable[..., object], drain: float = PATIENCE, expected_seconds: float = 0
    ) -> Ending:
        """Run until the handler, or the queue, asks to stop."""
        ports = Ports(self.queue, self.sink, self.clock, self.stop, SystemThreads())
        limits = PoolLimits(self.threads, self.message_seconds)
        parts = consumer(ports, handler, limits=limits, expected_seconds=expected_seconds)
        return supervise(parts, ShutdownLimits(Drain(drain, calls=4, logs=0)))

    def returned(self) -> list[str]:
        """Return the receipts that were made visible at once, in the order of the requests."""
        return [
            receipt for change in self.queue.changes for receipt, at in change.items() if not at
        ]


def test_a_stop_during_the_wait_ends_it() -> None:
    """With nothing in flight there is nothing to delete or return."""
    bench = Bench([])
    bench.queue.on_receive = threading.Timer(0, bench.stop.request).start
    assert bench.run(lambda _: None) == Ending(None, stuck=False)
    assert (bench.queue.deletes, bench.queue.changes) == ([], [])


def test_a_stop_lets_the_handler_finish_and_returns_what_waits_at_once() -> None:
    """The handler in this test ends only after the waiting messages have been returned."""
    bench = Bench([messages(3)])

    def handler(_message: Message) -> None:
        bench.stop.request()
        assert bench.queue.returned.wait(PATIENCE)

    assert bench.run(handler, expected_seconds=PATIENCE) == Ending(None, stuck=False)
    assert bench.returned() == ["receipt-2", "receipt-3"]
    assert bench.queue.deleted == ["receipt-1"]
    [cycle] = bench.sink.events("cycle")
    assert (cycle["MessagesReceived"], cycle["MessagesProcessed"]) == (3, 1)
    assert cycle["returned"] == 2


def test_a_stop_lets_quick_handlers_finish_all_that_is_in_hand() -> None:
    """Returned messages would have been received for nothing, which counts as an attempt."""
    bench = Bench([messages(3)])
    assert bench.run(lambda _: bench.stop.request()) == Ending(None, stuck=False)
    assert bench.queue.deleted == ["receipt-1", "receipt-2", "receipt-3"]
    assert bench.queue.changes == []


def test_the_message_of_a_handler_that_never_returns_is_returned(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Finished messages are acknowledged all the same, and a line names the stuck one."""
    bench = Bench([messages(3)])
    release = threading.Event()

    def handler(message: Message) -> None:
        if message.id == "id-2":
            bench.stop.request()
            release.wait(PATIENCE)

    ending = bench.run(handler, drain=0.05)
    release.set()
    assert ending == Ending(None, stuck=True)
    assert sorted(bench.returned()) == ["receipt-2", "receipt-3"]
    assert bench.queue.deleted == ["receipt-1"]
    assert [line["message_id"] for line in bench.sink.events("message")] == ["id-1"]
    assert "handler still running at the limit" in caplog.messages


def test_one_stuck_thread_of_several_does_not_prevent_acknowledging_the_others() -> None:
    """Three of four handlers have finished at the limit; their messages are deleted."""
    bench = Bench([messages(4)], threads=4)
    release, others = threading.Event(), threading.Semaphore(0)

    def handler(message: Message) -> None:
        if message.id == "id-2":
            for _ in range(3):
                others.acquire()
            bench.stop.request()
            release.wait(PATIENCE)
        others.release()

    ending = bench.run(handler, drain=1)
    release.set()
    assert ending.stuck
    assert bench.returned() == ["receipt-2"]
    assert sorted(bench.queue.deleted) == ["receipt-1", "receipt-3", "receipt-4"]


def test_a_receive_under_way_is_left_to_end_and_its_messages_are_returned() -> None:
    """A receive may take longer than the drain limit."""
    bench = Bench([messages(2)])
    ended = threading.Event()

    def on_receive() -> None:
        bench.stop.request()
        threading.Timer(0.3, ended.set).start()
        ended.wait(PATIENCE)

    bench.queue.on_receive = on_receive
    assert bench.run(lambda _: None, drain=0) == Ending(None, stuck=False)
    assert bench.returned() == ["receipt-1", "receipt-2"]


def test_a_refusal_ends_the_worker_and_returns_what_is_in_flight() -> None:
    """SQS refuses to delete the first message, while the second one's handler runs."""
    bench = Bench([messages(3)])
    refused, release = QueueRefusedError("not allowed"), threading.Event()
    bench.queue.delete_answers = [refused]
    ending = bench.run(lambda got: got.id == "id-1" or release.wait(PATIENCE))
    release.set()
    assert ending.error is refused
    assert sorted(bench.returned()) == ["receipt-2", "receipt-3"]


def test_a_handler_that_ends_the_program_fails_its_message_and_no_other() -> None:
    """sys.exit() in a handler is that message's failure; the worker goes on."""
    bench = Bench([messages(3)])

    def handler(message: Message) -> None:
        if message.id == "id-2":
            raise SystemExit(3)
        if message.id == "id-3":
            bench.stop.request()

    assert bench.run(handler) == Ending(None, stuck=False)
    assert bench.queue.deleted == ["receipt-1", "receipt-3"]
    assert bench.queue.changes == [{"receipt-2": 30}]


def test_handlers_that_are_over_their_limit_end_the_consumer_when_they_are_too_many() -> None:
    """Each of them keeps a thread, and a process does not get its threads back."""
    bench = Bench([messages(12)], threads=12)
    bench.message_seconds, bench.clock = 0.01, SystemClock()
    release = threading.Event()
    ending = bench.run(lambda _: release.wait(PATIENCE), drain=PATIENCE)
    release.set()
    assert isinstance(ending.error, TooManyLeftError)
    assert ending.stuck
    lines = bench.sink.events("message")
    assert {line["outcome"] for line in lines} == {"timed_out"}
    assert {line["message_id"] for line in lines} == {f"id-{number}" for number in range(1, 13)}
    assert sum(map(len, bench.queue.changes)) == 12


def test_a_first_receive_that_fails_is_reported() -> None:
    """`supervise` returns the error; one that may pass would be waited for."""
    gone = QueueRefusedError("gone")
    assert Bench([gone]).run(lambda _: None) == Ending(gone, stuck=False)


def test_a_queue_that_is_unavailable_at_the_end_does_not_prevent_the_exit(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Messages that cannot be returned become visible after their timeout."""
    bench = Bench([messages(2)])
    gone = QueueRefusedError("gone")
    bench.queue.visibility_answers, bench.queue.delete_answers = [gone], [gone]
    release = threading.Event()
    ending = bench.run(lambda got: got.id == "id-1" or release.wait(PATIENCE), drain=0.1)
    release.set()
    assert ending.error is gone
    assert settlement.UNTOUCHED.failure in caplog.messages


def test_a_call_is_waited_for_only_so_long() -> None:
    """`within` returns after the limit, whether or not the function has ended."""
    release = threading.Event()
    assert within(PATIENCE, lambda: None, SystemThreads())
    assert not within(0.01, lambda: release.wait(PATIENCE), SystemThreads())
    release.set()


def test_last_calls_are_made_although_no_thread_can_be_started() -> None:
    """Handlers may have used up the threads of a container; messages are returned all the same."""

    class NoThreads(SystemThreads):
        def start(self, name: str, function: Callable[[], object]) -> threading.Thread:
            raise RuntimeError(f"can't start new thread {name} for {function}")

    called: list[bool] = []
    assert within(PATIENCE, lambda: called.append(True), NoThreads())
    assert called == [True]
