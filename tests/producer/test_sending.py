"""Tests of sending several batches at once and trying again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fakes.producing import (
    DOWN,
    FakeDestination,
    FakeProgress,
    FakeStop,
    all_but,
    everything,
    outgoings,
    seeded,
)

from producer.errors import SentLogError
from producer.send_results import SendResults
from producer.sending import LONGEST_PAUSE, Sender, SendLimits, pause_before, sort_result
from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.queue import Refusal, SendBatchResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from producer.outgoing_message import OutgoingMessage
    from producer.ports import Destination

REFUSED = QueueRefusedError("queue orders does not exist")
OOPS = Refusal(0, "InternalError", "Oops", retry=True)
NEVER = Refusal(1, "InvalidParameterValue", "Too long", retry=False)


class Desk:
    """A sender and everything around it."""

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
        self.progress = FakeProgress()
        self.stop = stop or FakeStop()
        self._record_error = record_error
        self.results = SendResults(self.progress, self._record)
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

    def _record(self, accepted: Sequence[tuple[OutgoingMessage, str]]) -> None:
        if self._record_error:
            raise self._record_error
        self.recorded += accepted


def test_every_accepted_message_is_recorded_with_its_own_id() -> None:
    """The ids are SQS's, in the order of the batch."""
    desk = Desk(FakeDestination())
    messages = outgoings(25)

    desk.send(messages)

    assert desk.fates == (25, 0, 0)
    assert desk.recorded == [(message, f"id-{message.body}") for message in messages]
    assert desk.progress.done == 25
    assert desk.sender.error is None


def test_only_what_sqs_could_not_take_is_sent_again() -> None:
    """A partly refused batch shrinks to what is worth another attempt."""
    destination = FakeDestination([all_but(OOPS, NEVER)])
    desk = Desk(destination)
    messages = outgoings(3)

    desk.send(messages)

    assert [len(call) for call in destination.calls] == [3, 1]
    assert destination.calls[1] == [messages[0].body]
    assert desk.fates == (2, 1, 0)
    assert desk.progress.notes == ["not sent: line 2: InvalidParameterValue Too long"]
    assert len(desk.stop.waits) == 1


def test_a_message_that_fails_every_time_is_listed_and_the_run_goes_on() -> None:
    """Attempts are limited, and one message does not hold up the others."""
    destination = FakeDestination([all_but(OOPS)] * 3)
    desk = Desk(destination, attempts=3)

    desk.send(outgoings(4), size=2)

    assert [len(call) for call in destination.calls] == [2, 1, 1, 2]
    assert desk.fates == (3, 1, 0)
    assert desk.progress.notes == ["not sent: line 1: InternalError Oops (after 3 attempts)"]
    assert desk.sender.error is None


def test_what_sqs_does_not_mention_is_sent_again() -> None:
    """Nothing is taken for sent without an id."""
    destination = FakeDestination([lambda _bodies: SendBatchResult({}, ())])
    desk = Desk(destination)

    desk.send(outgoings(2))

    assert [len(call) for call in destination.calls] == [2, 2]
    assert desk.fates == (2, 0, 0)


def test_a_queue_that_comes_back_loses_nothing() -> None:
    """Throttling and a network that fails for a while only cost time; it is said once."""
    destination = FakeDestination([DOWN, DOWN])
    desk = Desk(destination)

    desk.send(outgoings(10))

    assert desk.fates == (10, 0, 0)
    assert [len(call) for call in destination.calls] == [10, 10, 10]
    assert desk.progress.notes == [f"trying again: {DOWN}"]


def test_a_second_outage_is_told_again() -> None:
    """Once the queue took something, the next trouble is news."""
    desk = Desk(FakeDestination([DOWN, everything, DOWN]))

    desk.send(outgoings(2), size=1)

    assert desk.progress.notes == [f"trying again: {DOWN}"] * 2


def test_a_queue_that_stays_away_ends_the_run() -> None:
    """The batch that used up its attempts has failed; the rest is not even tried."""
    destination = FakeDestination([DOWN] * 9)
    desk = Desk(destination, attempts=3)

    desk.send(outgoings(30))

    assert desk.fates == (0, 10, 20)
    assert len(destination.calls) == 3
    assert isinstance(desk.sender.error, QueueUnavailableError)
    assert str(desk.sender.error) == f"gave up after 3 attempts: {DOWN}"
    assert desk.progress.notes[-1] == f"not sent: line 10: {DOWN} (after 3 attempts)"


def test_a_refusal_of_the_call_ends_the_run_at_once() -> None:
    """No second attempt, and the message of the refusal is the run's error."""
    destination = FakeDestination([REFUSED])
    desk = Desk(destination)

    desk.send(outgoings(30))

    assert desk.fates == (0, 0, 30)
    assert len(destination.calls) == 1
    assert desk.sender.error is REFUSED
    assert desk.progress.notes == []


def test_stopping_cuts_a_pause_short() -> None:
    """What waits for another attempt is left unsent, since nobody wants to wait now."""
    destination = FakeDestination([DOWN] * 3)
    desk = Desk(destination, stop=FakeStop(stop_in_wait=1))

    desk.send(outgoings(10))

    assert desk.fates == (0, 0, 10)
    assert len(destination.calls) == 1
    assert desk.sender.error is None


def test_nothing_is_submitted_once_stopping_is_asked_for() -> None:
    """It is booked as unsent instead."""
    destination = FakeDestination()
    desk = Desk(destination)
    desk.stop.request()

    desk.send(outgoings(10))

    assert desk.fates == (0, 0, 10)
    assert destination.calls == []


def test_a_sent_log_that_cannot_be_written_ends_the_run() -> None:
    """What was accepted counts as sent all the same; what was not stays accounted for."""
    error = SentLogError("writing the sent log failed: No space left on device")
    desk = Desk(FakeDestination([all_but(OOPS)]), record_error=error)

    desk.send(outgoings(4), size=2)

    assert desk.fates == (1, 0, 3)
    assert desk.sender.error is error


def test_what_nobody_foresaw_is_raised_at_the_end() -> None:
    """A mistake in a thread does not vanish with the thread."""
    desk = Desk(FakeDestination([ZeroDivisionError("a mistake")]))

    with pytest.raises(ZeroDivisionError, match="a mistake"):
        desk.send(outgoings(20))

    assert desk.fates == (0, 0, 20)


class Gate:
    """A destination that holds its calls until opened, and counts them."""

    def __init__(self, full: int) -> None:
        """Notice when so many calls are inside at once."""
        self.inside = 0
        self.most = 0
        self.full = threading.Event()
        self._enough = full
        self._open = threading.Event()
        self._lock = threading.Lock()

    def open(self) -> None:
        """Let calls pass from now on."""
        self._open.set()

    def send(self, bodies: Sequence[str]) -> SendBatchResult:
        """Wait for the gate to open."""
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside == self._enough:
                self.full.set()
        assert self._open.wait(60)
        with self._lock:
            self.inside -= 1
        return everything(bodies)


def test_so_many_batches_are_under_way_and_no_more() -> None:
    """The fourth waits outside: a huge input is never read far ahead."""
    gate = Gate(full=3)
    desk = Desk(gate, in_flight=3)
    submitted = []

    def submit_all() -> None:
        for message in outgoings(20):
            desk.sender.submit([message])
            submitted.append(message)

    feeder = threading.Thread(target=submit_all)
    feeder.start()
    assert gate.full.wait(60)
    ahead = len(submitted)
    gate.open()
    feeder.join()
    desk.sender.finish()

    assert ahead <= 3
    assert gate.most == 3
    assert desk.fates == (20, 0, 0)


answers = st.lists(
    st.sampled_from(["everything", "down", "partly", "never", "silence", "refused"]), max_size=12
)


@given(answers, st.integers(1, 30), st.integers(1, 3), st.integers(1, 4), st.none() | st.just(2))
def test_every_message_meets_exactly_one_fate(
    kinds: list[str], number: int, attempts: int, in_flight: int, stop_in_wait: int | None
) -> None:
    """Whatever SQS answers and whenever the run ends: sent once, failed, or left, never lost."""
    prepared: dict[str, Exception | Callable[[Sequence[str]], SendBatchResult]] = {
        "everything": everything,
        "down": DOWN,
        "partly": all_but(OOPS),
        "never": all_but(Refusal(0, "InvalidParameterValue", "", retry=False)),
        "silence": lambda _bodies: SendBatchResult({}, ()),
        "refused": REFUSED,
    }
    destination = FakeDestination([prepared[kind] for kind in kinds])
    desk = Desk(destination, attempts=attempts, in_flight=in_flight, stop=FakeStop(stop_in_wait))

    desk.send(outgoings(number), size=4)

    assert sum(desk.fates) == number
    accepted = [message.number for message, _ in desk.recorded]
    assert len(accepted) == len(set(accepted)) == desk.fates[0]
    assert len(desk.results.totals.failures) == desk.fates[1]


@given(
    st.integers(1, 10),
    st.dictionaries(st.integers(0, 9), st.sampled_from(["sent", "again", "never"])),
)
def test_sorting_out_an_answer_keeps_every_message_once(
    number: int, places: dict[int, str]
) -> None:
    """Accepted, refused or to be tried again."""
    messages = outgoings(number)
    known = {place: fate for place, fate in places.items() if place < number}
    result = SendBatchResult(
        {place: f"id-{place}" for place, fate in known.items() if fate == "sent"},
        tuple(
            Refusal(place, "Code", "why", retry=fate == "again")
            for place, fate in known.items()
            if fate != "sent"
        ),
    )

    by_result = sort_result(messages, result)

    fates = {
        **dict.fromkeys((message.number for message, _ in by_result.accepted), "sent"),
        **dict.fromkeys((message.number for message, _ in by_result.refused), "never"),
        **dict.fromkeys((message.number for message, _ in by_result.retry), "again"),
    }
    assert fates == {place + 1: known.get(place, "again") for place in range(number)}
    assert len(by_result.accepted) + len(by_result.refused) + len(by_result.retry) == number


@given(st.integers(2, 100), st.integers())
def test_pauses_grow_up_to_a_limit_and_are_spread_out(attempt: int, seed: int) -> None:
    """Half a second at most before the second attempt, doubling, never more than twenty."""
    assert 0 <= pause_before(attempt, seeded(seed)) <= min(LONGEST_PAUSE, 2.0 ** (attempt - 3))
