"""The simulated queue: receiving, deleting, giving back, dying, expiring."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tidemill.simulator.queues.queue_attributes import QueueAttributes
from tidemill.simulator.queues.queued_message import Cause, MessageKind
from tidemill.simulator.queues.work_queue import CHUNK, WorkQueue

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY = 86_400.0


def a_queue(
    arrivals: Iterable[float],
    kinds: Iterable[MessageKind] | None = None,
    max_receives: int | None = 3,
    retention: float = DAY,
) -> WorkQueue:
    """Return a queue that starts at 1000."""
    return WorkQueue(
        iter(arrivals),
        1000.0,
        None if kinds is None else iter(kinds),
        QueueAttributes(max_receives, 30, retention),
    )


def test_a_message_is_there_from_the_moment_that_it_is_sent() -> None:
    """Messages that are sent later are not visible yet."""
    queue = a_queue([1, 2, 2, 5])
    assert queue.next_arrival() == 1001
    queue.advance(1002)
    assert (queue.visible(), queue.counts.sent, queue.next_arrival()) == (3, 3, 1005)


def test_a_receive_takes_the_oldest_and_no_more_than_asked_for() -> None:
    """Received messages are in flight, the others stay visible."""
    queue = a_queue(range(5))
    messages = queue.receive(1010.0, 3)
    assert [message.sent for message in messages] == [1000, 1001, 1002]
    assert (queue.visible(), queue.in_flight) == (2, 3)


def test_a_processed_message_is_deleted_and_its_wait_counted() -> None:
    """Waits until the receive and until processing are counted in tenths of a second."""
    queue = a_queue([0])
    (message,) = queue.receive(1004.25, 10)
    queue.delete(1009.5, message)
    assert (queue.counts.first_waits, queue.counts.waits) == ({42: 1}, {95: 1})
    assert queue.is_over()


def test_consuming_is_receiving_and_deleting_at_once() -> None:
    """`consume` has the same counts as `receive` and `delete`."""
    short, long = a_queue([0, 1, 7]), a_queue([0, 1, 7], kinds=[MessageKind.VALID] * 3)
    assert [short.consume(1002.0, 10), short.consume(1009.5, 10)] == [2, 1]
    assert [long.consume(1002.0, 10), long.consume(1009.5, 10)] == [2, 1]
    short.close()
    long.close()
    assert (short.counts.first_waits, short.counts.waits) == (
        long.counts.first_waits,
        long.counts.waits,
    )
    assert (short.counts.processed, short.counts.requests) == (
        long.counts.processed,
        long.counts.requests,
    )


def test_a_message_is_dead_lettered_at_the_receive_after_the_last_allowed_one() -> None:
    """A message becomes a dead letter when its receive count would exceed maxReceiveCount."""
    queue = a_queue([0], max_receives=2)
    for _ in range(2):
        queue.return_messages(1000.0, queue.receive(1000.0, 10))
        assert (queue.visible(), queue.counts.dead) == (1, 0)
    assert queue.receive(1000.0, 10) == []
    assert (queue.counts.dead, queue.is_over()) == (1, True)


@pytest.mark.parametrize(
    ("kind", "attempts", "good"),
    [
        pytest.param(MessageKind.VALID, 1, 1, id="one receive was no attempt"),
        pytest.param(MessageKind.VALID, 2, 0, id="an attempt at each receive"),
        pytest.param(MessageKind.FAILING, 1, 0, id="no attempt would have processed it"),
    ],
)
def test_a_dead_letter_is_good_if_a_receive_was_no_attempt(
    kind: MessageKind, attempts: int, good: int
) -> None:
    """Nothing is known against such a message, so it is counted on its own, by its last receive."""
    queue = a_queue([0], kinds=[kind], max_receives=2)
    for _ in range(2):
        (message,) = queue.receive(1000.0, 10)
        message.attempts, message.cause = attempts, Cause.CUT_OFF
        queue.return_messages(1000.0, [message])
    queue.receive(1000.0, 10)
    assert (queue.counts.dead_by, queue.counts.good_dead) == ({Cause.CUT_OFF: 1}, good)


def test_a_returned_message_is_received_before_new_ones() -> None:
    """Returned messages are older, so they are received first."""
    queue = a_queue([0, 1])
    queue.return_messages(1001.0, queue.receive(1001.0, 1))
    assert [m.receives for m in queue.receive(1001.0, 10)] == [2, 1]


def test_a_message_goes_to_the_back_of_the_queue_after_its_third_receive() -> None:
    """Those in the queue at its return come before it, those sent later after it."""
    queue = a_queue([0, 1, 20], max_receives=9)
    for _ in range(3):
        queue.return_messages(1001.0, queue.receive(1001.0, 1))
    queue.advance(1030.0)
    assert queue.visible() == 3
    received = queue.receive(1030.0, 10)
    assert [(one.sent, one.receives) for one in received] == [(1001, 1), (1000, 4), (1020, 1)]
    assert (queue.visible(), queue.in_flight) == (0, 3)


def test_a_message_at_the_back_expires_or_becomes_a_dead_letter_as_any_other() -> None:
    """Both happen at its next receive."""
    for retention, ended in ((9000.0, (1, 0)), (10.0, (0, 1))):
        queue = a_queue([0], max_receives=3, retention=retention)
        for _ in range(3):
            queue.return_messages(1000.0, queue.receive(1000.0, 1))
        assert queue.consume(1020.0, 10) == 0
        assert (queue.counts.dead, queue.counts.expired) == ended
        assert queue.is_over()


@pytest.mark.parametrize("given_back", [False, True])
def test_a_message_expires_when_its_retention_is_over(given_back: bool) -> None:  # noqa: FBT001 - pytest passes parameters by name
    """Messages expire in the queue, whether they were received before or not."""
    queue = a_queue([0, 90], retention=60.0)
    if given_back:
        queue.return_messages(1000.0, queue.receive(1000.0, 1))
    assert [message.sent for message in queue.receive(1100.0, 10)] == [1090]
    assert (queue.counts.expired, queue.left_over()) == (1, 1)


def test_a_long_run_keeps_no_more_messages_than_it_needs() -> None:
    """Received messages are dropped from memory, chunk by chunk."""
    queue = a_queue(range(20 * CHUNK))
    for now in range(0, 20 * CHUNK, 10):
        queue.consume(1000.0 + now, 10)
    assert len(queue._times) <= 3 * CHUNK
