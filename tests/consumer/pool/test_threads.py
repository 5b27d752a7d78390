"""Tests of handlers in threads: order, failures, what is withdrawn, batches and coroutines."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.builders.thread_pools import PATIENCE, Bench, of
from support.fakes.consuming import CIVIC, FakeQueue, FakeSink, delivery
from support.fakes.stopping import FakeStop

from consumer.attempt import AttemptResult
from consumer.clock import SystemClock, SystemThreads
from consumer.handlers.errors import HandlerError
from consumer.handlers.loading import handler_of, load
from consumer.pool.threads import PoolLimits, ThreadPool
from consumer.ports import PoolReports, Ports

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.handlers.api import Message


def test_one_thread_works_in_order(benches: list[Bench]) -> None:
    """Messages are handled in the order in which they were received."""
    seen: list[str] = []
    bench = Bench(lambda got: seen.append(got.id))
    benches.append(bench)
    bench.pool.submit(of(1, 2))
    bench.pool.submit(of(3))
    assert bench.finished(3) == [(key, AttemptResult.PROCESSED) for key in (1, 2, 3)]
    assert seen == ["id-1", "id-2", "id-3"]


def test_three_threads_work_on_three_at_once(benches: list[Bench]) -> None:
    """The barrier opens only when three handlers wait at it."""
    together = threading.Barrier(3, timeout=PATIENCE)
    bench = Bench(lambda _: together.wait(), threads=3)
    benches.append(bench)
    assert bench.pool.slots == 3
    bench.pool.submit(of(1, 2, 3))
    assert {result for _, result in bench.finished(3)} == {AttemptResult.PROCESSED}


@pytest.mark.parametrize(
    "error", [ValueError("no"), SystemExit(3), KeyboardInterrupt(), MemoryError()], ids=repr
)
def test_whatever_a_handler_raises_is_its_messages_failure(
    benches: list[Bench], error: BaseException
) -> None:
    """The thread goes on with the next message."""

    def handler(got: Message) -> None:
        if got.id == "id-1":
            raise error

    bench = Bench(handler)
    benches.append(bench)
    bench.pool.submit(of(1, 2))
    assert bench.finished(2) == [(1, AttemptResult.FAILED), (2, AttemptResult.PROCESSED)]
    assert (bench.attempts[0].reason or "").startswith(type(error).__name__)


def test_a_handler_gets_the_message_and_its_time_limit(benches: list[Bench]) -> None:
    """The deadline is in epoch seconds."""
    seen: list[Message] = []
    bench = Bench(seen.append, seconds=60)
    benches.append(bench)
    body = CIVIC.replace("}", ',"dealer":{"city":"Turin"}}')
    bench.pool.submit([delivery(3, body, receive_count=2)])
    bench.finished(1)
    [got] = seen
    assert (got.id, got.body, got.receive_count) == ("id-3", body, 2)
    assert got.extra == {"dealer": {"city": "Turin"}}
    assert 50 < got.deadline - time.time() <= 60


def test_a_message_that_may_not_start_is_forgotten(benches: list[Bench]) -> None:
    """Its visibility timeout is over, so another consumer may have it."""
    bench = Bench(lambda _: None)
    benches.append(bench)
    bench.refused = {1, 2}
    bench.pool.submit(of(1, 2, 3))
    assert bench.finished(1) == [(3, AttemptResult.PROCESSED)]


def test_what_waits_can_be_withdrawn(benches: list[Bench]) -> None:
    """The running message and the first that waits are kept."""
    begun = threading.Event()

    def handler(_message: Message) -> None:
        begun.set()
        bench.release.wait(PATIENCE)

    bench = Bench(handler)
    benches.append(bench)
    bench.pool.submit(of(1, 2, 3, 4))
    assert begun.wait(PATIENCE)
    assert [one.key for one in bench.pool.withdraw(1)] == [3, 4]
    bench.release.set()
    assert [key for key, _ in bench.finished(2)] == [1, 2]


def test_a_handler_that_waits_for_others_is_awaited(benches: list[Bench]) -> None:
    """Coroutines of several threads run in one event loop."""
    loops: set[int] = set()

    async def handler(_message: Message) -> None:
        import asyncio  # noqa: PLC0415 - as in a handler's module

        loops.add(id(asyncio.get_running_loop()))
        await asyncio.sleep(0)

    bench = Bench(handler, threads=2)
    benches.append(bench)
    bench.pool.submit(of(1, 2, 3, 4))
    assert {result for _, result in bench.finished(4)} == {AttemptResult.PROCESSED}
    assert len(loops) == 1


def test_a_batch_handler_gets_what_waits_up_to_ten(benches: list[Bench]) -> None:
    """The entries of its list are the messages' own results."""
    sizes: list[int] = []

    def handler(orders: list[dict[str, Any]]) -> list[Exception | None]:
        sizes.append(len(orders))
        return [None, ValueError("no"), *[None] * (len(orders) - 2)]

    bench = Bench(handler)
    benches.append(bench)
    assert bench.pool.slots == 10
    bench.pool.submit(of(*range(1, 13)))
    results = [result for _, result in bench.finished(12)]
    assert sizes == [10, 2]
    assert results.count(AttemptResult.FAILED) == 2
    assert results[1] is AttemptResult.FAILED


@pytest.mark.impure
def test_a_fork_that_comes_back_from_the_handler_ends(benches: list[Bench]) -> None:
    """Otherwise it would go on as a second consumer with the same messages."""
    children: list[int] = []

    def handler(_message: Message) -> None:
        child = os.fork()
        if child:
            children.append(child)

    bench = Bench(handler)
    benches.append(bench)
    bench.pool.submit(of(1))
    assert bench.finished(1) == [(1, AttemptResult.PROCESSED)]
    _, status = os.waitpid(children[0], 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_startup_and_shutdown_are_called_around_the_messages() -> None:
    """A class can keep a connection for all of its messages."""
    calls: list[str] = []

    class Handling:
        """A handler with a connection."""

        def startup(self) -> None:
            """Connect."""
            calls.append("startup")

        def handle(self, message: object) -> None:
            """Work."""
            calls.append(type(message).__name__)

        def shutdown(self) -> None:
            """Disconnect."""
            calls.append("shutdown")

    bench = Bench(Handling)
    bench.pool.submit(of(1))
    bench.finished(1)
    assert bench.pool.close(PATIENCE)
    assert bench.pool.close(0)
    assert calls == ["startup", "dict", "shutdown"]


def test_a_handler_that_cannot_be_loaded_is_reported_at_the_start() -> None:
    """The program then exits with code 2."""
    ports = Ports(FakeQueue(), FakeSink(), SystemClock(), FakeStop(), SystemThreads())
    nobody = PoolReports(lambda _: True, lambda _: None, lambda _: None, lambda _: None)
    pool = ThreadPool(lambda: load("no_such_module:do"), PoolLimits(1, 30), ports, nobody)
    with pytest.raises(HandlerError):
        pool.start()


class NoFurtherThread(SystemThreads):
    """Threads of which a container allows no more, once `none_left` is set."""

    none_left = False

    def start(self, name: str, function: Callable[[], object]) -> threading.Thread:
        """Start a thread, or raise what Python raises."""
        if self.none_left:
            raise RuntimeError("can't start new thread")
        return super().start(name, function)


def test_a_pool_closes_even_if_no_thread_is_left_for_the_shutdown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Otherwise the consumer could not return what it has in hand."""
    threads = NoFurtherThread()
    ports = Ports(FakeQueue(), FakeSink(), SystemClock(), FakeStop(), threads)
    reports = PoolReports(lambda _: True, lambda _: None, lambda _: None, lambda _: None)
    pool = ThreadPool(lambda: handler_of(lambda _: None), PoolLimits(1, 30), ports, reports)
    pool.start()
    threads.none_left = True
    assert pool.close(PATIENCE)
    assert "handler not shut down" in caplog.messages
