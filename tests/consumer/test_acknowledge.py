"""Tests of acknowledging: lines, deletes, and returns to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from support.builders.consumers import consumer
from support.fakes.consuming import (
    DOWN,
    START,
    FakeClock,
    FakeQueue,
    FakeSink,
    delivery,
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

    from consumer.ports import DeadLetters
    from shared.queue import Refusal


METRICS: Final = ("Received", "Processed", "Failed", "Invalid")
OTHERS: Final = ("deleted", "returned", "rejected", "retried", "duplicates")


class Bench:
    """An acknowledger over fakes."""

    def __init__(self, dead_letters: DeadLetters | None = None) -> None:
        """Build the parts."""
        self.queue = FakeQueue()
        self.sink = FakeSink()
        self.clock = FakeClock()
        ports = Ports(self.queue, self.sink, self.clock, FakeStop(), SystemThreads())
        built = consumer(ports, dead_letters=dead_letters)
        self.acknowledger, self.in_flight = built.acknowledger, built.in_flight
        self._cycles = built.cycles

    def counts(self) -> Counts:
        """Write the line of the cycle so far and return its counts."""
        self._cycles.report()
        [*_, line] = self.sink.events("cycle")
        published = {name.lower(): line[f"Messages{name}"] for name in METRICS}
        return Counts(**published, **{name: line.get(name, 0) for name in OTHERS})


@pytest.fixture
def bench() -> Bench:
    """Provide an acknowledger over fakes."""
    return Bench()


def attempt(
    number: int,
    result: AttemptResult = AttemptResult.PROCESSED,
    receive_count: int = 1,
    retry_after: int | None = None,
) -> Attempt:
    """Build an attempt at the message with this number."""
    reason = None if result is AttemptResult.PROCESSED else "why"
    received = delivery(number, receive_count=receive_count)
    return Attempt(received, result, reason, 0, START, retry_after)


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
    assert bench.counts() == Counts(processed=10, deleted=10)


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
    assert bench.counts() == Counts(processed=1, failed=2, invalid=1, deleted=1)


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
    assert bench.counts().deleted == 3


@pytest.mark.parametrize(
    ("answer", "requests"),
    [
        pytest.param(DOWN, 3, id="nobody answers"),
        pytest.param((refusal(0, retry=True),), 3, id="refused by SQS's fault"),
        pytest.param((refusal(0, retry=False),), 1, id="refused by ours"),
    ],
)
def test_a_delete_that_never_succeeds_is_a_warning(
    bench: Bench,
    answer: tuple[Refusal, ...] | Exception,
    requests: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A message that is not deleted will be received again: delivery is at least once."""
    bench.queue.delete_answers = [answer] * 5
    bench.acknowledger.acknowledge([attempt(1)])
    assert len(bench.queue.deletes) == requests
    assert warnings(caplog) == [("messages not deleted, they will be received again", ["id-1"])]
    assert bench.counts() == Counts(processed=1, deleted=0)


@pytest.mark.parametrize("answer", [DOWN, (refusal(0, retry=True),)], ids=["down", "refused"])
def test_a_message_that_cannot_be_returned_is_a_warning(
    bench: Bench, answer: tuple[Refusal, ...] | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """A message that is not returned becomes visible after its visibility timeout anyway."""
    bench.queue.visibility_answers = [answer] * 5
    bench.acknowledger.acknowledge([attempt(1, AttemptResult.FAILED)])
    assert len(bench.queue.changes) == 3
    assert [ids for _, ids in warnings(caplog)] == [["id-1"]]


def test_a_refusal_of_the_whole_request_is_raised(bench: Bench) -> None:
    """A consumer that may not delete has to end, or it would repeat its work for ever."""
    bench.queue.delete_answers = [QueueRefusedError("not allowed")]
    with pytest.raises(QueueRefusedError):
        bench.acknowledger.acknowledge([attempt(1)])


def test_returned_messages_are_visible_at_once_and_counted(bench: Bench) -> None:
    """Other consumers can receive returned messages; no line says that they were processed."""
    bench.acknowledger.return_to_queue([delivery(number) for number in range(1, 13)])
    assert [len(change) for change in bench.queue.changes] == [10, 2]
    assert {seconds for change in bench.queue.changes for seconds in change.values()} == {0}
    assert bench.sink.events("message") == []
    assert bench.counts().returned == 12


@pytest.mark.parametrize(
    ("result", "retry_after", "change"),
    [
        pytest.param(AttemptResult.FAILED, None, {"receipt-1": 120}, id="failed: backoff"),
        pytest.param(AttemptResult.CRASHED, None, {"receipt-1": 120}, id="crashed: backoff"),
        pytest.param(AttemptResult.TIMED_OUT, None, {"receipt-1": 120}, id="timed out: backoff"),
        pytest.param(AttemptResult.RETRY, 7, {"receipt-1": 7}, id="retry: as it says"),
        pytest.param(AttemptResult.RETRY, 0, {"receipt-1": 0}, id="retry: at once"),
        pytest.param(AttemptResult.RETRY, 99_999, {"receipt-1": 43_200}, id="retry: SQS's limit"),
        pytest.param(AttemptResult.INVALID, None, {"receipt-1": 0}, id="invalid: dead letters"),
        pytest.param(AttemptResult.REJECTED, None, {"receipt-1": 0}, id="rejected: as invalid"),
    ],
)
def test_what_is_not_done_comes_back_after_its_delay(
    bench: Bench, result: AttemptResult, retry_after: int | None, change: dict[str, int]
) -> None:
    """At the third receive, a failure's delay is four times 30 seconds."""
    bench.acknowledger.acknowledge([attempt(1, result, 3, retry_after)])
    assert bench.queue.changes == [change]
    assert bench.queue.deletes == []


def test_a_duplicate_is_deleted_and_no_failure(bench: Bench) -> None:
    """Its work was done before; a retry that a handler asks for is no failure, either."""
    bench.acknowledger.acknowledge(
        [attempt(1, AttemptResult.DUPLICATE), attempt(2, AttemptResult.RETRY, retry_after=5)]
    )
    assert bench.queue.deleted == ["receipt-1"]
    assert bench.counts() == Counts(deleted=1, duplicates=1, retried=1)


class Letters:
    """A dead-letter queue that takes the messages with these numbers."""

    def __init__(self, *numbers: int) -> None:
        """Take these."""
        self._ids = {f"id-{number}" for number in numbers}

    def send(self, attempts: Sequence[Attempt]) -> Sequence[Attempt]:
        """Return the attempts of what it takes."""
        return [one for one in attempts if one.delivery.received.message_id in self._ids]


def test_a_rejected_message_is_deleted_once_it_is_among_the_dead_letters() -> None:
    """One that could not be sent there is tried again later."""
    bench = Bench(Letters(1))
    bench.acknowledger.acknowledge(
        [attempt(number, AttemptResult.REJECTED) for number in (1, 2)] + [attempt(3)]
    )
    assert bench.queue.deleted == ["receipt-1", "receipt-3"]
    assert bench.queue.changes == [{"receipt-2": 30}]
    assert bench.counts() == Counts(processed=1, rejected=2, deleted=2)


def test_a_message_is_kept_hidden_until_it_is_deleted(bench: Bench) -> None:
    """A delete may take longer than the visibility timeout."""
    bench.in_flight.add([delivery(1)])
    in_flight_at_delete: list[int] = []
    bench.queue.on_delete = lambda: in_flight_at_delete.append(len(bench.in_flight))
    bench.in_flight.finish(attempt(1))
    bench.in_flight.end()
    bench.acknowledger.run(report=False)
    assert in_flight_at_delete == [1]
    assert len(bench.in_flight) == 0


def test_lost_messages_are_named_and_counted_as_returned(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """They went back to the queue by themselves, and no handler had them."""
    bench.in_flight.add([delivery(1)])
    bench.clock.elapsed = 1_000
    assert not bench.in_flight.start(1)
    bench.in_flight.end()
    bench.acknowledger.run(report=True)
    assert [ids for _, ids in warnings(caplog)] == [["id-1"]]
    assert [line["returned"] for line in bench.sink.events("cycle")] == [1]
