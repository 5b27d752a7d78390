"""Tests of acknowledging: what is said and counted, which is only what SQS has confirmed."""

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
    refusal,
)
from support.fakes.stopping import FakeStop

from consumer.attempt import Attempt, AttemptResult
from consumer.clock import SystemThreads
from consumer.logs import events
from consumer.ports import Ports
from shared.errors import QueueRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Bench:
    """An acknowledger over fakes, and what it says."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        """Build the parts, and let all events be kept."""
        events.root.setLevel("INFO")
        self._caplog = caplog
        self.queue = FakeQueue()
        self._sink = FakeSink()
        ports = Ports(self.queue, self._sink, FakeClock(), FakeStop(), SystemThreads())
        built = consumer(ports)
        self.acknowledger = built.acknowledger
        self._cycles = built.cycles

    def named(self) -> list[tuple[str, Sequence[str]]]:
        """Return all events with the ids of their messages."""
        return [
            (record.getMessage(), record.fields["message_ids"])  # type: ignore[attr-defined]  # our log calls set it
            for record in self._caplog.records
        ]

    def count(self, name: str) -> int:
        """Write the line of the cycle so far and return one of its counts."""
        self._cycles.report()
        [*_, line] = self._sink.events("cycle")
        number: int = line[name]
        return number


@pytest.fixture
def bench(caplog: pytest.LogCaptureFixture) -> Bench:
    """Provide an acknowledger over fakes."""
    return Bench(caplog)


def attempts(*numbers: int) -> list[Attempt]:
    """Build attempts that processed the messages with these numbers."""
    return [Attempt(delivery(one), AttemptResult.PROCESSED, None, 0, START) for one in numbers]


def test_a_line_names_what_sqs_has_deleted_after_each_request(bench: Bench) -> None:
    """A delete counts when SQS has confirmed it, not when the message was processed."""
    bench.queue.delete_answers = [DOWN, (refusal(1, retry=True),)]
    bench.acknowledger.acknowledge(attempts(1, 2, 3))
    assert bench.named() == [
        ("messages deleted", ["id-1", "id-3"]),
        ("messages deleted", ["id-2"]),
    ]
    assert bench.count("deleted") == 3


def test_deletes_that_were_confirmed_count_even_if_a_later_request_is_refused(
    bench: Bench,
) -> None:
    """The consumer ends; its last line of counts is true, and what is left is named."""
    bench.queue.delete_answers = [(refusal(1, retry=True),), QueueRefusedError("not allowed")]
    with pytest.raises(QueueRefusedError):
        bench.acknowledger.acknowledge(attempts(1, 2))
    assert bench.named() == [
        ("messages deleted", ["id-1"]),
        ("messages not deleted, they will be received again", ["id-2"]),
    ]
    assert bench.count("deleted") == 1


def test_a_line_names_only_what_was_really_returned(bench: Bench) -> None:
    """The line is written after SQS's answer."""
    bench.queue.visibility_answers = [(refusal(0, retry=False),)]
    bench.acknowledger.return_to_queue([delivery(1), delivery(2)])
    assert dict(bench.named())["messages returned"] == ["id-2"]
    assert bench.count("returned") == 1


def test_what_cannot_be_returned_because_sqs_refuses_the_request_is_named(bench: Bench) -> None:
    """It stays hidden, so a reader has to learn which messages wait; none counts as returned."""
    bench.queue.visibility_answers = [QueueRefusedError("not allowed")]
    with pytest.raises(QueueRefusedError):
        bench.acknowledger.return_to_queue([delivery(1), delivery(2)])
    [(event, ids)] = bench.named()
    assert event.startswith("messages not returned")
    assert ids == ["id-1", "id-2"]
    bench.acknowledger.return_to_queue([delivery(3)])
    assert bench.count("returned") == 1
