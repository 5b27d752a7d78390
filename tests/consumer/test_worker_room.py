"""Tests of how much a worker receives, and of receives while handlers work or after a stop."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from support.builders.workers import LONG_POLL, PATIENCE, Bench
from support.fakes.consuming import message, messages

from consumer.capacity import MOST_PER_SLOT
from consumer.cycle import ReceiveEnded, Rhythm

if TYPE_CHECKING:
    from consumer.handlers.api import Message
    from shared.queue import ReceivedMessage


def test_a_receive_asks_for_no_more_than_a_drain_can_finish() -> None:
    """Two threads and messages of 30 s, as far as anybody knows: two of the ten are asked for."""
    bench = Bench([messages(2)], threads=2, expected_seconds=30)
    assert bench.worker.perform(LONG_POLL) == ReceiveEnded(2)
    assert bench.queue.receives == [(2, 20, 120)]


def test_the_next_receive_follows_the_measured_time() -> None:
    """Handlers turn out to be quick, so the poll takes the other eight at once."""
    answers: list[list[ReceivedMessage] | Exception] = [
        messages(2),
        [message(number) for number in range(3, 11)],
    ]
    bench = Bench(answers, threads=2, expected_seconds=30)
    bench.run()
    assert [limit for limit, _, _ in bench.queue.receives] == [2, 8]


def test_a_worker_without_rests_receives_while_handlers_work() -> None:
    """A second receive brings the message that the first handler waits for."""
    second = threading.Event()

    def handler(got: Message) -> None:
        assert got.id == "id-2" or second.wait(PATIENCE)
        second.set()

    bench = Bench(
        [[message(1)], [message(2)]], handler, rhythm=Rhythm(poll_wait=0), waits=3, threads=2
    )
    bench.run()
    assert bench.queue.deleted == ["receipt-2", "receipt-1"] or len(bench.queue.deletes) == 1


def test_a_message_is_deleted_during_the_next_long_poll() -> None:
    """The second receive of this test returns only after the first one's message is deleted."""
    bench = Bench([[message(1)], []], rhythm=Rhythm(poll_wait=0), waits=2)
    deleted = threading.Event()
    bench.queue.on_delete = deleted.set

    def on_receive() -> None:
        if len(bench.queue.receives) == 2:
            assert deleted.wait(PATIENCE)

    bench.queue.on_receive = on_receive
    bench.run()
    assert bench.queue.deleted == ["receipt-1"]


def test_a_slow_delete_holds_up_receives_but_no_handler() -> None:
    """What is handled and not deleted yet counts as in hand: otherwise it would fill the memory."""
    bench = Bench(
        [[message(number) for number in range(first, first + 10)] for first in range(1, 61, 10)],
        rhythm=Rhythm(poll_wait=0),
        waits=6,
    )
    most: list[int] = []
    bench.queue.on_receive = lambda: most.append(len(bench.in_flight))
    bench.queue.on_delete = lambda: time.sleep(0.02)
    bench.run()
    assert len(bench.queue.deleted) == 60
    assert max(most) <= MOST_PER_SLOT - 10


def test_what_a_receive_brings_after_a_stop_is_handled_if_it_can_be_finished() -> None:
    """It has been received, which counts towards the dead letters, so it is not wasted."""
    bench = Bench([messages(3)])
    bench.queue.on_receive = bench.stop.request
    bench.run()
    assert bench.queue.deleted == ["receipt-1", "receipt-2", "receipt-3"]


def test_what_cannot_be_finished_after_a_stop_is_returned_and_counted() -> None:
    """Handlers that take 15 s finish two messages in the 30 s of a drain."""
    bench = Bench([messages(5)], expected_seconds=15)
    bench.queue.on_receive = bench.stop.request
    bench.run()
    assert bench.queue.deleted == ["receipt-1", "receipt-2"]
    assert bench.queue.changes == [{"receipt-3": 0, "receipt-4": 0, "receipt-5": 0}]
    assert [line["returned"] for line in bench.sink.events("cycle")] == [3]
