"""Tests of the worker over a queue in memory: polls, cycles, outages."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import msgspec
import pytest
from support.builders.workers import LONG_POLL, PATIENCE, Bench
from support.fakes.consuming import CIVIC, DOWN, START, message, messages

from consumer import setting_table as table
from consumer.admission import Admission
from consumer.cycle import ReceiveEnded, ReceiveFailed, Rhythm
from consumer.groups.message_groups import MessageGroups
from consumer.idempotency.no_claims import NoClaims
from consumer.worker import Job, Worker
from shared.errors import QueueRefusedError, QueueUnavailableError

if TYPE_CHECKING:
    from consumer.handlers.api import Message
    from shared.queue import ReceivedMessage


def test_polls_processes_and_waits_one_minute() -> None:
    """With the defaults a worker does what the exercise asks for."""
    bench = Bench([messages(10)], waits=2)
    bench.run()
    assert bench.queue.receives == [(10, 20, 120), (10, 20, 120)]
    assert bench.queue.deleted == [f"receipt-{number}" for number in range(1, 11)]
    assert [line["message_id"] for line in bench.sink.events("message")] == [
        f"id-{number}" for number in range(1, 11)
    ]
    assert bench.stop.waits == [60, 60]


def test_a_poll_is_over_when_all_of_its_messages_are_done() -> None:
    """The minute's wait begins after the last delete, not after the receive."""
    bench = Bench([messages(3)], lambda _: time.sleep(0.01))
    waits_at_delete: list[int] = []
    bench.queue.on_delete = lambda: waits_at_delete.append(len(bench.stop.waits))
    bench.run()
    assert len(bench.queue.deleted) == 3
    assert set(waits_at_delete) == {0}
    assert bench.stop.waits == [60]


def test_a_batch_takes_two_requests() -> None:
    """Ten messages take one receive and one delete, and no other request."""
    bench = Bench([messages(10)])
    bench.run()
    assert (len(bench.queue.receives), len(bench.queue.deletes)) == (1, 1)
    assert bench.queue.changes == []


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
    bench.run()
    [line] = bench.sink.events("cycle")
    assert line["QueueName"] == "work"
    assert [line[f"Messages{name}"] for name in ("Received", "Processed", "Failed", "Invalid")] == [
        4, 2, 1, 1,
    ]  # fmt: skip
    assert (line["deleted"], line["returned"]) == (2, 0)
    assert line["_aws"]["Timestamp"] == START * 1000


def test_poison_does_not_block_its_batch() -> None:
    """The valid messages are processed and deleted, poison is returned at once."""
    bench = Bench([[message(1), message(2, "hello"), message(3)]])
    bench.run()
    outcomes = [line["outcome"] for line in bench.sink.events("message")]
    assert outcomes == ["processed", "invalid", "processed"]
    assert bench.queue.deleted == ["receipt-1", "receipt-3"]
    assert bench.queue.changes == [{"receipt-2": 0}]


def test_poison_uses_up_the_quota_of_a_poll() -> None:
    """Poison that is received again at once must not keep the worker from resting."""
    poison: list[list[ReceivedMessage] | Exception] = [
        [message(1, "hello", count)] for count in range(1, 100)
    ]
    bench = Bench(poison, rhythm=Rhythm(messages_per_poll=5))
    bench.run()
    assert len(bench.queue.receives) == 5


def test_the_latest_valid_year_follows_the_clock() -> None:
    """Next year's models are valid, those of the year after are not."""
    next_year = message(1, CIVIC.replace("2020", "2027"))
    after_next = message(2, CIVIC.replace("2020", "2028"))
    bench = Bench([[next_year, after_next]])
    bench.run()
    assert [line["outcome"] for line in bench.sink.events("message")] == ["processed", "invalid"]


def test_a_failed_message_comes_back_ever_later() -> None:
    """The delay is 30 seconds after the first failure, and doubles with each further one."""

    def handler(_message: Message) -> None:
        raise ConnectionError("the database is away")

    bench = Bench([[message(1, receive_count=1), message(2, receive_count=3)]], handler)
    bench.run()
    assert bench.queue.changes == [{"receipt-1": 30, "receipt-2": 120}]
    assert bench.sink.lines[0]["reason"] == "ConnectionError: the database is away"


def test_a_finished_message_is_deleted_while_its_neighbour_still_runs() -> None:
    """A crash late in a batch must not repeat work that was finished long before."""
    first_deleted = threading.Event()
    bench = Bench([messages(2)], lambda got: got.id == "id-1" or first_deleted.wait(PATIENCE))
    bench.queue.on_delete = first_deleted.set
    bench.run()
    assert bench.queue.deletes == [["receipt-1"], ["receipt-2"]]


def test_several_messages_are_handled_at_once() -> None:
    """The barrier opens only when four handlers wait at it."""
    together = threading.Barrier(4, timeout=PATIENCE)
    bench = Bench([messages(8)], lambda _: together.wait(), threads=4)
    bench.run()
    assert len(bench.queue.deleted) == 8
    assert len(bench.in_flight) == 0


def test_an_outage_at_the_start_is_waited_for() -> None:
    """A throttled or unreachable SQS does not end a consumer that has only just started."""
    bench = Bench([DOWN, DOWN, messages(1)], waits=3)
    bench.run()
    assert bench.stop.waits == [1, 2, 60]
    assert bench.queue.deleted == ["receipt-1"]


def test_workers_that_failed_together_do_not_come_back_together() -> None:
    """Each rests for at least half of the time, and no two for the same."""
    shares = set()
    for seed in range(20):
        parts = Bench([DOWN]).parts
        admission = Admission(
            NoClaims(fifo=False), MessageGroups(parts.ports.clock, fifo=False, poll_wait=0)
        )
        job = Job(Rhythm(), 120, 30, seed=seed)
        worker = Worker(parts.ports, job, parts.pool, parts.in_flight, parts.cycles, admission)
        failed = worker.perform(LONG_POLL)
        assert isinstance(failed, ReceiveFailed)
        assert 0.5 <= failed.share < 1
        shares.add(failed.share)
    assert len(shares) == 20


def test_a_queue_that_has_never_answered_ends_the_worker() -> None:
    """After START_SECONDS without an answer the endpoint may be wrong, so the error is raised."""
    bench = Bench([DOWN])
    bench.clock.elapsed = table.START_SECONDS.default
    with pytest.raises(QueueUnavailableError):
        bench.run()


def test_a_damaged_message_is_no_handlers_business() -> None:
    """It fails without a handler and comes again later; those beside it are handled."""
    damaged = msgspec.structs.replace(message(2), damage="its body differs")
    bench = Bench([[message(1), damaged]])
    bench.run()
    assert bench.queue.deleted == ["receipt-1"]
    assert bench.queue.changes == [{"receipt-2": 30}]
    lines = {line["message_id"]: line for line in bench.sink.events("message")}
    assert lines["id-1"]["outcome"] == "processed"
    assert lines["id-2"]["outcome"] == "failed"
    assert lines["id-2"]["reason"] == "damaged on its way: its body differs"


def test_later_outages_are_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """The worker waits for a queue that has answered before, with a warning each time."""
    bench = Bench([[], DOWN, DOWN, DOWN, messages(1)], waits=5)
    bench.run()
    assert bench.stop.waits == [60, 1, 2, 4, 60]
    assert bench.queue.deleted == ["receipt-1"]
    assert caplog.messages == ["queue unavailable"] * 3


def test_a_refusal_is_raised() -> None:
    """A refusal, such as that of a deleted queue, ends the worker."""
    with pytest.raises(QueueRefusedError):
        Bench([[], QueueRefusedError("gone")], waits=9).run()


def test_steps_return_their_results() -> None:
    """`perform` returns the results by which the rhythm decides."""
    bench = Bench([messages(2), [], DOWN])
    assert bench.worker.perform(LONG_POLL) == ReceiveEnded(2)
    assert bench.worker.perform(LONG_POLL) == ReceiveEnded(0)
    assert bench.worker.perform(LONG_POLL) == ReceiveFailed()
    assert not bench.worker.receiving


def test_a_message_that_arrives_after_its_visibility_timeout_is_not_handled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """SQS hides it from when it sends it, not from when a slow network or a SIGSTOP lets it in."""
    handled: list[str] = []
    bench = Bench([messages(1)], lambda got: handled.append(got.id))
    bench.queue.on_receive = lambda: bench.clock.sleep(20 + 121)  # the long poll, and more
    bench.run()
    assert handled == []
    assert bench.queue.deleted == []
    assert "messages not handled, because their visibility timeout was over before" in (
        caplog.messages
    )


def test_the_wait_of_a_long_poll_does_not_count_as_late() -> None:
    """The message may have come at the end of it."""
    bench = Bench([messages(1)])
    passing = iter([20 + 119.0])
    bench.queue.on_receive = lambda: bench.clock.sleep(next(passing, 0.0))
    bench.run()
    assert bench.queue.deleted == ["receipt-1"]
