"""Tests of sending several batches at once, and of retries.

The module is over 280 lines because its tests share one bench, a sender over fakes.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.producing import (
    DOWN,
    LOST,
    FakeDestination,
    FakeProgress,
    all_but,
    everything,
    outgoings,
    seeded,
    silence_about,
)
from support.fakes.stopping import FakeStop

from producer.errors import SentLogError
from producer.send_results import SendResults
from producer.sending import Sender, SendLimits
from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.queue import Refusal, SendBatchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.fakes.producing import Answer

    from producer.messages.outgoing_message import OutgoingMessage
    from producer.ports import Destination
    from shared.queue import OutgoingEntry

REFUSED = QueueRefusedError("queue orders does not exist")
OOPS = Refusal(0, "InternalError", "Oops", retry=True)
NEVER = Refusal(1, "InvalidParameterValue", "Too long", retry=False)


class Bench:
    """A sender over fakes."""

    def __init__(
        self,
        destination: Destination,
        *,
        attempts: int = 3,
        in_flight: int = 1,
        stop: FakeStop | None = None,
        record_error: Exception | None = None,
    ) -> None:
        """Put the parts together; writing the sent log raises `record_error`."""
        self.recorded: list[tuple[OutgoingMessage, str]] = []
        self.asked: Counter[int] = Counter()
        self.progress = FakeProgress()
        self.stop = stop or FakeStop()
        self._record_error = record_error
        self.results = SendResults(self.progress, self)
        self.sender = Sender(
            destination,
            self.results,
            self.stop,
            SendLimits(attempts, in_flight),
            seeded(),
        )

    def send(self, messages: Sequence[OutgoingMessage], size: int = 10) -> None:
        """Submit the messages in batches of that size and wait for the end."""
        for start in range(0, len(messages), size):
            self.sender.submit(messages[start : start + size])
        self.sender.finish()

    @property
    def fates(self) -> tuple[int, int, int]:
        """Return how many were sent, failed, and left unsent."""
        totals = self.results.totals
        return totals.sent, totals.failed, totals.unsent

    @property
    def unsure(self) -> tuple[list[int], list[int]]:
        """Return the numbers of indeterminate messages, and of those perhaps sent twice."""
        totals = self.results.totals
        return [n for _, n in totals.indeterminate], [n for _, n in totals.perhaps_twice]

    def sending(self, messages: Sequence[OutgoingMessage]) -> None:
        """Count requests by message, as readers of the sent log do."""
        self.asked.update(message.number for message in messages)

    def accepted(self, accepted: Sequence[tuple[OutgoingMessage, str]]) -> None:
        """Keep what SQS accepted."""
        if self._record_error:
            raise self._record_error
        self.recorded += accepted

    def not_sent(self, messages: Sequence[OutgoingMessage]) -> None:
        """Take back what SQS has not taken."""
        self.asked.subtract(message.number for message in messages)


def test_every_accepted_message_is_recorded_with_its_own_id() -> None:
    """The recorded ids are SQS's, in the order of the batch."""
    bench = Bench(FakeDestination())
    messages = outgoings(25)

    bench.send(messages)

    assert bench.fates == (25, 0, 0)
    assert bench.recorded == [(message, f"id-{message.body}") for message in messages]
    assert bench.progress.done == 25
    assert bench.sender.error is None


def test_only_what_sqs_could_not_take_is_sent_again() -> None:
    """A retry of a partly refused batch contains only the entries that SQS may accept later."""
    destination = FakeDestination([all_but(OOPS, NEVER)])
    bench = Bench(destination)
    messages = outgoings(3)

    bench.send(messages)

    assert [len(call) for call in destination.calls] == [3, 1]
    assert destination.calls[1] == [messages[0].body]
    assert bench.fates == (2, 1, 0)
    assert bench.progress.notes == ["not sent: line 2: InvalidParameterValue Too long"]
    assert len(bench.stop.waits) == 1


def test_a_message_that_fails_every_time_is_listed_and_the_run_goes_on() -> None:
    """Attempts are limited, and one failing message does not delay the others."""
    destination = FakeDestination([all_but(OOPS)] * 3)
    bench = Bench(destination, attempts=3)

    bench.send(outgoings(4), size=2)

    assert [len(call) for call in destination.calls] == [2, 1, 1, 2]
    assert bench.fates == (3, 1, 0)
    assert bench.progress.notes == ["not sent: line 1: InternalError Oops (after 3 attempts)"]
    assert bench.sender.error is None


def test_what_sqs_does_not_mention_is_sent_again() -> None:
    """A message without an id from SQS does not count as sent."""
    destination = FakeDestination([silence_about(0, 1)])
    bench = Bench(destination)

    bench.send(outgoings(2))

    assert [len(call) for call in destination.calls] == [2, 2]
    assert bench.fates == (2, 0, 0)


def test_a_queue_that_comes_back_loses_nothing() -> None:
    """Throttling and a network outage only take time; a note says so once."""
    destination = FakeDestination([DOWN, DOWN])
    bench = Bench(destination)

    bench.send(outgoings(10))

    assert bench.fates == (10, 0, 0)
    assert [len(call) for call in destination.calls] == [10, 10, 10]
    assert bench.progress.notes == [f"trying again: {DOWN}"]


def test_a_second_outage_is_reported_again() -> None:
    """After the queue has accepted messages, the next outage has a note of its own."""
    bench = Bench(FakeDestination([DOWN, everything, DOWN]))

    bench.send(outgoings(2), size=1)

    assert bench.progress.notes == [f"trying again: {DOWN}"] * 2


def test_a_queue_that_stays_away_ends_the_run() -> None:
    """A batch without attempts left has failed, and the rest is not tried."""
    destination = FakeDestination([DOWN] * 9)
    bench = Bench(destination, attempts=3)

    bench.send(outgoings(30))

    assert bench.fates == (0, 10, 20)
    assert len(destination.calls) == 3
    assert isinstance(bench.sender.error, QueueUnavailableError)
    assert str(bench.sender.error) == f"gave up after 3 attempts: {DOWN}"
    assert bench.progress.notes[-1] == f"not sent: line 10: {DOWN} (after 3 attempts)"


def test_a_refusal_of_the_call_ends_the_run_at_once() -> None:
    """A refusal is not retried; it is the run's error."""
    destination = FakeDestination([REFUSED])
    bench = Bench(destination)

    bench.send(outgoings(30))

    assert bench.fates == (0, 0, 30)
    assert len(destination.calls) == 1
    assert bench.sender.error is REFUSED
    assert bench.progress.notes == []


def test_a_stop_ends_a_pause() -> None:
    """Messages that wait for a retry are recorded as unsent."""
    destination = FakeDestination([DOWN] * 3)
    bench = Bench(destination, stop=FakeStop(stop_in_wait=1))

    bench.send(outgoings(10))

    assert bench.fates == (0, 0, 10)
    assert len(destination.calls) == 1
    assert bench.sender.error is None


def test_nothing_is_sent_once_a_stop_is_requested() -> None:
    """A batch submitted after a stop is recorded as unsent."""
    destination = FakeDestination()
    bench = Bench(destination)
    bench.stop.request()

    bench.send(outgoings(10))

    assert bench.fates == (0, 0, 10)
    assert destination.calls == []


def test_a_sent_log_that_cannot_be_written_ends_the_run() -> None:
    """Accepted messages count as sent all the same, the others as unsent."""
    error = SentLogError("writing the sent log failed: No space left on device")
    bench = Bench(FakeDestination([all_but(OOPS)]), record_error=error)

    bench.send(outgoings(4), size=2)

    assert bench.fates == (1, 0, 3)
    assert bench.sender.error is error


def test_an_unexpected_error_is_raised_at_the_end() -> None:
    """An unexpected error in a thread is raised by `finish`."""
    bench = Bench(FakeDestination([ZeroDivisionError("a mistake")]))

    with pytest.raises(ZeroDivisionError, match="a mistake"):
        bench.send(outgoings(20))

    assert bench.fates == (0, 0, 20)


class Gate:
    """A destination that blocks its calls until it is opened, and counts them."""

    def __init__(self, full: int) -> None:
        """Signal when this many calls are inside at once."""
        self.inside = 0
        self.most = 0
        self.full = threading.Event()
        self._enough = full
        self._open = threading.Event()
        self._lock = threading.Lock()

    def open(self) -> None:
        """Let all calls return from now on."""
        self._open.set()

    def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
        """Wait for the gate to open."""
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside == self._enough:
                self.full.set()
        assert self._open.wait(60)
        with self._lock:
            self.inside -= 1
        return everything(messages)


def test_so_many_batches_are_under_way_and_no_more() -> None:
    """The fourth batch waits, so a huge input is never read far ahead."""
    gate = Gate(full=3)
    bench = Bench(gate, in_flight=3)
    submitted = []

    def submit_all() -> None:
        for message in outgoings(20):
            bench.sender.submit([message])
            submitted.append(message)

    feeder = threading.Thread(target=submit_all)
    feeder.start()
    assert gate.full.wait(60)
    ahead = len(submitted)
    gate.open()
    feeder.join()
    bench.sender.finish()

    assert ahead <= 3
    assert gate.most == 3
    assert bench.fates == (20, 0, 0)


answers = st.lists(
    st.sampled_from(["everything", "down", "lost", "partly", "never", "silence", "refused"]),
    max_size=12,
)


@given(answers, st.integers(1, 30), st.integers(1, 3), st.integers(1, 4), st.none() | st.just(2))
def test_every_message_has_exactly_one_result(
    kinds: list[str], number: int, attempts: int, in_flight: int, stop_in_wait: int | None
) -> None:
    """For any answers and any end, each message is sent, failed, unsent or indeterminate."""
    prepared: dict[str, Exception | Answer] = {
        "everything": everything,
        "down": DOWN,
        "lost": LOST,
        "partly": all_but(OOPS),
        "never": all_but(Refusal(0, "InvalidParameterValue", "", retry=False)),
        "silence": lambda sent: silence_about(*range(len(sent)))(sent),
        "refused": REFUSED,
    }
    destination = FakeDestination([prepared[kind] for kind in kinds])
    bench = Bench(destination, attempts=attempts, in_flight=in_flight, stop=FakeStop(stop_in_wait))

    bench.send(outgoings(number), size=4)

    indeterminate, perhaps_twice = bench.unsure
    assert sum(bench.fates) + len(indeterminate) == number
    if {"lost", "silence"}.isdisjoint(kinds):
        assert (indeterminate, perhaps_twice) == ([], [])
    accepted = [message.number for message, _ in bench.recorded]
    assert len(accepted) == len(set(accepted)) == bench.fates[0]
    without_answer = bench.asked - Counter(accepted)
    assert sorted(without_answer) == sorted({*indeterminate, *perhaps_twice})
    assert min(bench.asked.values(), default=0) >= 0
    assert len(bench.results.totals.failures) == bench.fates[1]
