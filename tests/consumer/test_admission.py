"""Tests of claims and message groups in the worker and in acknowledging, over fakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.builders.consumers import consumer, run
from support.fakes.claims import FakeTable
from support.fakes.consuming import START, FakeClock, FakeQueue, FakeSink, refusal
from support.fakes.stopping import FakeStop

from consumer.admission import Admission, build_admission
from consumer.attempt import Attempt, AttemptResult
from consumer.clock import SystemThreads
from consumer.cycle import Rhythm
from consumer.delivery import Delivery
from consumer.groups.message_groups import MessageGroups
from consumer.idempotency.claims import Claims, ClaimTerms
from consumer.idempotency.key import IdempotencyKey
from consumer.idempotency.no_claims import NoClaims
from consumer.pool.threads import PoolLimits
from consumer.ports import Ports
from consumer.settings import read
from shared.queue import ReceivedMessage

if TYPE_CHECKING:
    from collections.abc import Callable


def received(number: int, group: str = "A", receive_count: int = 1) -> ReceivedMessage:
    """Build a message of a group; its body is a number, which is its idempotency key, too."""
    return ReceivedMessage(
        f"id-{number}",
        f"receipt-{number}",
        f'{{"number":{number}}}',
        receive_count,
        START,
        system={"MessageGroupId": group},
    )


def delivery(number: int, group: str = "A") -> Delivery:
    """Build the delivery of such a message."""
    one = received(number, group)
    return Delivery(number, one, START, one.body)


def ended(one: Delivery, result: AttemptResult = AttemptResult.PROCESSED) -> Attempt:
    """Build the end of an attempt."""
    return Attempt(one, result, None, 0.0, START)


class Bench:
    """A consumer of a FIFO queue, with claims, over fakes."""

    def __init__(
        self,
        answers: list[list[ReceivedMessage] | Exception] | None = None,
        handler: Callable[[dict[str, int]], object] = lambda _: None,
        *,
        waits: int = 1,
        fifo: bool = True,
    ) -> None:
        """Build the parts; the worker stops at its `waits`-th rest."""
        self.queue, self.sink, self.clock = FakeQueue(answers or []), FakeSink(), FakeClock()
        self.stop = FakeStop(stop_in_wait=waits)
        self.table = FakeTable()
        threads = SystemThreads()
        ports = Ports(self.queue, self.sink, self.clock, self.stop, threads)
        terms = ClaimTerms("one", lease=120, keep=3600, outage_delay=30, fifo=fifo)
        key = IdempotencyKey("{number}", "orders")
        self.claims = Claims(self.table, key, terms, self.clock, threads)

        def handle(body: dict[str, int]) -> object:
            return handler(body)

        self.parts = consumer(
            ports,
            handle,
            rhythm=Rhythm(messages_per_poll=40, poll_wait=60),
            limits=PoolLimits(1, 30, fifo),
            admission=Admission(self.claims, MessageGroups(self.clock, fifo=fifo, poll_wait=60)),
        )
        self.acknowledger = self.parts.acknowledger

    def results(self) -> list[tuple[str, str]]:
        """Return id and outcome of each message line."""
        return [(line["message_id"], line["outcome"]) for line in self.sink.events("message")]


def fails_at(number: int) -> Callable[[dict[str, int]], None]:
    """Return a handler that fails for this number."""

    def handle(body: dict[str, int]) -> None:
        if body["number"] == number:
            raise ValueError(number)

    return handle


def test_what_is_done_is_noted_before_it_is_deleted() -> None:
    """A crash in between leaves a message that is a duplicate at its next receive."""
    bench = Bench([[received(1)]])
    noted: list[set[str]] = []
    bench.queue.on_delete = lambda: noted.append(set(bench.table.done))
    run(bench.parts)
    assert bench.queue.deleted == ["receipt-1"]
    assert noted == [{"orders#1"}]


def test_a_duplicate_is_deleted_and_not_handled() -> None:
    """Its line says so."""
    handled: list[dict[str, int]] = []
    bench = Bench([[received(1)], [], [received(1), received(2)]], handled.append, waits=2)
    run(bench.parts)
    assert [body["number"] for body in handled] == [1, 2]
    assert bench.results() == [("id-1", "processed"), ("id-1", "duplicate"), ("id-2", "processed")]
    assert bench.queue.deleted == ["receipt-1", "receipt-1", "receipt-2"]


def test_nothing_is_received_while_the_table_does_not_answer() -> None:
    """The worker rests as in an outage of SQS."""
    bench = Bench([[received(1)], [received(2)]], waits=3)
    bench.table.down = True
    run(bench.parts)
    assert len(bench.queue.receives) == 1
    assert bench.results() == [("id-1", "retry")]
    assert bench.queue.changes == [{"receipt-1": 30}]
    assert bench.stop.waits == [1, 2, 4]


def test_claims_of_what_goes_back_untouched_are_released() -> None:
    """Whoever receives it next may handle it."""
    bench = Bench()
    one = delivery(1)
    bench.claims.claim([one], {})
    bench.acknowledger.return_to_queue([one])
    assert bench.table.claims == {}


def test_followers_go_back_hidden_for_longer_than_the_message_that_failed() -> None:
    """And the next receive asks for one message, until that one is through."""
    bench = Bench(
        [[received(1), received(2), received(3, "B"), received(4)], [], [received(5, "C")]],
        fails_at(1),
        waits=2,
    )
    run(bench.parts)
    assert sorted(bench.results()) == [
        ("id-1", "failed"),
        ("id-3", "processed"),
        ("id-5", "processed"),
    ]
    hidden = {receipt: seconds for each in bench.queue.changes for receipt, seconds in each.items()}
    assert hidden == {"receipt-1": 30, "receipt-2": 92, "receipt-4": 92}
    assert [limit for limit, _, _ in bench.queue.receives][:3] == [10, 10, 1]
    assert set(bench.table.claims) == {"orders#3", "orders#5"}
    assert [line["returned"] for line in bench.sink.events("cycle")] == [2, 0]


def test_messages_of_a_group_are_deleted_in_their_order() -> None:
    """Each in a request of its own, other groups beside them."""
    bench = Bench()
    bench.acknowledger.acknowledge(
        [ended(delivery(n, g)) for n, g in [(1, "A"), (2, "A"), (3, "B")]]
    )
    assert bench.queue.deletes == [["receipt-1", "receipt-3"], ["receipt-2"]]


def test_what_follows_a_message_that_cannot_be_deleted_is_not_deleted_either() -> None:
    """So both come again, in their order."""
    bench = Bench()
    bench.queue.delete_answers = [(refusal(0, retry=False),)]
    bench.acknowledger.acknowledge(
        [ended(delivery(n, g)) for n, g in [(1, "A"), (2, "A"), (3, "B")]]
    )
    assert [set(batch) for batch in bench.queue.deletes] == [{"receipt-1", "receipt-3"}]


def test_a_standard_queue_is_not_affected_by_groups() -> None:
    """There a group is a tenant: one delete, full receives, nothing goes back."""
    bench = Bench([[received(1), received(2), received(3)]], fails_at(1), fifo=False)
    run(bench.parts)
    assert sorted(bench.results()) == [
        ("id-1", "failed"),
        ("id-2", "processed"),
        ("id-3", "processed"),
    ]
    assert [limit for limit, _, _ in bench.queue.receives] == [10, 10]


def test_without_a_table_there_are_no_claims() -> None:
    """The groups follow from the queue's name alone."""
    bench = Bench()
    ports = Ports(bench.queue, bench.sink, bench.clock, bench.stop, SystemThreads())
    settings = read({"QUEUE_NAME": "work.fifo"}, "host")
    admission = build_admission(settings, ports, "work.fifo")
    assert isinstance(admission.claims, NoClaims)
    assert len(admission.groups.in_rounds([delivery(1), delivery(2)])) == 2
