"""Tests of settling: lines, deletes, and when messages come back."""

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
    FakeStop,
    message,
    refusal,
)

from consumer.attempt import Attempt, AttemptResult
from consumer.logs.counts import Counts
from consumer.ports import Ports
from shared.errors import QueueRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.queue import Refusal


class Bench:
    """A settler with everything around it."""

    def __init__(self) -> None:
        """Build the parts."""
        self.queue = FakeQueue()
        self.sink = FakeSink()
        self.clock = FakeClock()
        built = consumer(Ports(self.queue, self.sink, self.clock, FakeStop()))
        self.acknowledger, self.counter = built.acknowledger, built.counter


@pytest.fixture
def bench() -> Bench:
    """Lend a acknowledger."""
    return Bench()


def outcome(
    number: int, result: AttemptResult = AttemptResult.PROCESSED, receive_count: int = 1
) -> Attempt:
    """Build an outcome of the message with this number."""
    reason = None if result is AttemptResult.PROCESSED else "why"
    received = message(number, receive_count=receive_count)
    return Attempt(received, result, reason, 0, 0, START)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, Sequence[str]]]:
    """Return the warnings with the ids of their messages."""
    return [
        (record.getMessage(), record.fields["message_ids"])  # type: ignore[attr-defined]
        for record in caplog.records
        if record.levelname == "WARNING"
    ]


def test_a_batch_takes_one_write_and_one_delete(bench: Bench) -> None:
    """Requests and writes are what costs time."""
    bench.acknowledger.acknowledge([outcome(number) for number in range(1, 11)])
    assert bench.sink.writes == [10]
    assert [len(batch) for batch in bench.queue.deletes] == [10]
    assert bench.queue.changes == []
    assert bench.counter.take() == Counts(processed=10, deleted=10)


def test_the_lines_are_written_before_the_delete(bench: Bench) -> None:
    """If writing fails, the messages are still in the queue."""
    bench.sink.error = BrokenPipeError()
    with pytest.raises(BrokenPipeError):
        bench.acknowledger.acknowledge([outcome(1)])
    assert bench.queue.deletes == []


def test_only_what_was_processed_is_deleted(bench: Bench) -> None:
    """What failed comes back after its delay, what is invalid at once, in one request."""
    bench.acknowledger.acknowledge(
        [
            outcome(1),
            outcome(2, AttemptResult.FAILED),
            outcome(3, AttemptResult.INVALID),
            outcome(4, AttemptResult.FAILED, receive_count=3),
        ]
    )
    assert bench.queue.deleted == ["receipt-1"]
    assert bench.queue.changes == [{"receipt-2": 30, "receipt-3": 0, "receipt-4": 120}]
    assert bench.counter.take() == Counts(processed=1, failed=2, invalid=1, deleted=1)


def test_nothing_to_settle_makes_no_request(bench: Bench) -> None:
    """Neither an empty write nor an empty batch, which SQS would refuse."""
    bench.acknowledger.acknowledge([])
    bench.acknowledger.return_to_queue([])
    assert (bench.sink.writes, bench.queue.deletes, bench.queue.changes) == ([], [], [])


def test_a_delete_that_sqs_took_back_is_tried_again(bench: Bench) -> None:
    """And only the entry that was refused."""
    bench.queue.delete_answers = [(refusal(1, retry=True),)]
    bench.acknowledger.acknowledge([outcome(1), outcome(2), outcome(3)])
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
    """The message will come again: at least once is the promise."""
    bench.queue.delete_answers = [answer] * 5
    bench.acknowledger.acknowledge([outcome(1)])
    assert len(bench.queue.deletes) == 3
    assert told(caplog) == [("messages not deleted, they will be received again", ["id-1"])]
    assert bench.counter.take() == Counts(processed=1, deleted=0)


@pytest.mark.parametrize("answer", [DOWN, (refusal(0, retry=True),)], ids=["down", "refused"])
def test_a_message_that_cannot_be_sent_back_is_a_warning(
    bench: Bench, answer: tuple[Refusal, ...] | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Its visibility timeout brings it back anyway."""
    bench.queue.visibility_answers = [answer]
    bench.acknowledger.acknowledge([outcome(1, AttemptResult.FAILED)])
    assert [ids for _, ids in told(caplog)] == [["id-1"]]


def test_a_refusal_of_the_whole_request_gets_out(bench: Bench) -> None:
    """Without the permission to delete, work would be repeated for ever."""
    bench.queue.delete_answers = [QueueRefusedError("not allowed")]
    with pytest.raises(QueueRefusedError):
        bench.acknowledger.acknowledge([outcome(1)])


def test_messages_given_back_are_visible_at_once(bench: Bench) -> None:
    """Other workers take them, without a line that says they were processed."""
    bench.acknowledger.return_to_queue([message(1), message(2)])
    assert bench.queue.changes == [{"receipt-1": 0, "receipt-2": 0}]
    assert bench.sink.lines == []
