"""Tests of acknowledging: lines, deletes, and returns to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.consumers import consumer
from support.fakes.consuming import (
    DOWN,
    START,
    FakeClock,
    FakeQueue,
    FakeSink,
    delivery,
    message,
    refusal,
)
from support.fakes.stopping import FakeStop

from consumer.attempt import Attempt, AttemptResult
from consumer.clock import SystemThreads
from consumer.logs.counts import Counts
from consumer.ports import Ports
from shared.errors import QueueRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.queue import Refusal


class Bench:
    """An acknowledger over fakes."""

    def __init__(self) -> None:
        """Build the parts."""
        self.queue = FakeQueue()
        self.sink = FakeSink()
        self.clock = FakeClock()
        built = consumer(Ports(self.queue, self.sink, self.clock, FakeStop(), SystemThreads()))
        self.acknowledger, self.counter = built.acknowledger, built.counter


@pytest.fixture
def bench() -> Bench:
    """Provide an acknowledger over fakes."""
    return Bench()


def attempt(
    number: int, result: AttemptResult = AttemptResult.PROCESSED, receive_count: int = 1
) -> Attempt:
    """Build an attempt at the message with this number."""
    reason = None if result is AttemptResult.PROCESSED else "why"
    return Attempt(delivery(number, receive_count=receive_count), result, reason, 0, START)


def warnings(caplog: pytest.LogCaptureFixture) -> list[tuple[str, Sequence[str]]]:
    """Return the warnings with the ids of their messages."""
    return [
        (record.getMessage(), record.fields["message_ids"])  # type: ignore[attr-defined]  # our log calls set it
        for record in caplog.records
        if record.levelname == "WARNING"
    ]


def test_a_batch_takes_one_write_and_one_delete(bench: Bench) -> None:
    """Requests and writes take the time, so ten messages share one of each."""
    bench.acknowledger.acknowledge([attempt(number) for number in range(1, 11)])
    assert bench.sink.writes == [10]
    assert [len(batch) for batch in bench.queue.deletes] == [10]
    assert bench.queue.changes == []
    assert bench.counter.take() == Counts(processed=10, deleted=10)


def test_the_lines_are_written_before_the_delete(bench: Bench) -> None:
    """When writing the lines fails, the messages are still in the queue."""
    bench.sink.error = BrokenPipeError()
    with pytest.raises(BrokenPipeError):
        bench.acknowledger.acknowledge([attempt(1)])
    assert bench.queue.deletes == []


def test_only_what_was_processed_is_deleted(bench: Bench) -> None:
    """One request returns failed messages with their delay and invalid ones without."""
    bench.acknowledger.acknowledge(
        [
            attempt(1),
            attempt(2, AttemptResult.FAILED),
            attempt(3, AttemptResult.INVALID),
            attempt(4, AttemptResult.FAILED, receive_count=3),
        ]
    )
    assert bench.queue.deleted == ["receipt-1"]
    assert bench.queue.changes == [{"receipt-2": 30, "receipt-3": 0, "receipt-4": 120}]
    assert bench.counter.take() == Counts(processed=1, failed=2, invalid=1, deleted=1)


def test_nothing_to_acknowledge_makes_no_request(bench: Bench) -> None:
    """SQS would refuse an empty batch."""
    bench.acknowledger.acknowledge([])
    bench.acknowledger.return_to_queue([])
    assert (bench.sink.writes, bench.queue.deletes, bench.queue.changes) == ([], [], [])


def test_a_delete_that_sqs_refused_is_retried(bench: Bench) -> None:
    """A retry of a delete contains only the entry that SQS refused."""
    bench.queue.delete_answers = [(refusal(1, retry=True),)]
    bench.acknowledger.acknowledge([attempt(1), attempt(2), attempt(3)])
    assert bench.queue.deletes == [["receipt-1", "receipt-2", "receipt-3"], ["receipt-2"]]
    assert bench.clock.slept == [0.2]
    assert bench.counter.take().deleted == 3


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(DOWN, id="nobody answers"),
        pytest.param((refusal(0, retry=True),), id="refused by SQS's fault"),
        pytest.param((refusal(0, retry=False),), id="refused by ours"),
    ],
)
def test_a_delete_that_never_succeeds_is_a_warning(
    bench: Bench, answer: tuple[Refusal, ...] | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """A message that is not deleted will be received again: delivery is at least once."""
    bench.queue.delete_answers = [answer] * 5
    bench.acknowledger.acknowledge([attempt(1)])
    assert len(bench.queue.deletes) == 3
    assert warnings(caplog) == [("messages not deleted, they will be received again", ["id-1"])]
    assert bench.counter.take() == Counts(processed=1, deleted=0)


@pytest.mark.parametrize("answer", [DOWN, (refusal(0, retry=True),)], ids=["down", "refused"])
def test_a_message_that_cannot_be_returned_is_a_warning(
    bench: Bench, answer: tuple[Refusal, ...] | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """A message that is not returned becomes visible after its visibility timeout anyway."""
    bench.queue.visibility_answers = [answer]
    bench.acknowledger.acknowledge([attempt(1, AttemptResult.FAILED)])
    assert [ids for _, ids in warnings(caplog)] == [["id-1"]]


def test_a_refusal_of_the_whole_request_is_raised(bench: Bench) -> None:
    """A consumer that may not delete has to end, or it would repeat its work for ever."""
    bench.queue.delete_answers = [QueueRefusedError("not allowed")]
    with pytest.raises(QueueRefusedError):
        bench.acknowledger.acknowledge([attempt(1)])


def test_returned_messages_are_visible_at_once(bench: Bench) -> None:
    """Other consumers can receive returned messages; no line says that they were processed."""
    bench.acknowledger.return_to_queue([message(1), message(2)])
    assert bench.queue.changes == [{"receipt-1": 0, "receipt-2": 0}]
    assert bench.sink.lines == []
