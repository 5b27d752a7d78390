"""Tests of sending in the order of groups, and of answers that are lost."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fakes.producing import (
    DOWN,
    LOST,
    FakeDestination,
    FakeProgress,
    all_but,
    everything,
    grouped,
    outgoings,
    seeded,
    silence_about,
)
from support.fakes.stopping import FakeStop

from producer.send_results import SendResults
from producer.sending import Sender, SendLimits
from producer.sent_log import NoSentLog
from shared.queue import OutgoingEntry, Refusal, SendBatchResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.messages.outgoing_message import OutgoingMessage
    from producer.ports import Destination

OOPS = Refusal(0, "InternalError", "Oops", retry=True)


def sent(
    destination: Destination,
    messages: Sequence[OutgoingMessage],
    limits: SendLimits,
    size: int = 10,
) -> tuple[Sender, SendResults]:
    """Send the messages in batches of this size; return the sender and its results."""
    results = SendResults(FakeProgress(), NoSentLog())
    sender = Sender(destination, results, FakeStop(), limits, seeded())
    for start in range(0, len(messages), size):
        sender.submit(messages[start : start + size])
    sender.finish()
    return sender, results


class Slow:
    """A destination that takes a random time and keeps the order in which it accepted."""

    def __init__(self, seed: int) -> None:
        """Draw the times by this seed."""
        self.accepted: list[tuple[str | None, str]] = []
        self._rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._lock = threading.Lock()

    def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
        """Wait, and accept, or be unavailable."""
        with self._lock:
            pause, fails = self._rng.uniform(0, 0.003), self._rng.random() < 0.2
        time.sleep(pause)
        if fails:
            raise DOWN
        with self._lock:
            for message in messages:
                assert isinstance(message, OutgoingEntry)
                self.accepted.append((message.group_id, message.body))
        return everything(messages)


@settings(max_examples=20)
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), st.integers(0, 99))
def test_nothing_overtakes_a_message_of_its_group(groups: list[str], seed: int) -> None:
    """For any mixture of groups, failures and times, each group arrives in its order."""
    messages = [grouped(number, group) for number, group in enumerate(groups, start=1)]
    destination = Slow(seed)

    _, results = sent(destination, messages, SendLimits(20, 8, ordered=True), size=3)

    assert results.totals.sent == len(messages)
    arrived = defaultdict(list)
    for group, body in destination.accepted:
        arrived[group].append(body)
    for group, bodies in arrived.items():
        assert bodies == [item.body for item in messages if item.group_id == group]


def test_different_groups_are_sent_at_once() -> None:
    """Order within groups does not make a queue of many groups slow."""
    together = threading.Barrier(4)

    class Meeting:
        def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
            together.wait(60)
            return everything(messages)

    messages = [grouped(number, f"g{number}") for number in range(1, 5)]

    _, results = sent(Meeting(), messages, SendLimits(1, 4, ordered=True), size=1)

    assert results.totals.sent == 4


def test_a_message_of_a_fifo_queue_that_fails_for_good_ends_the_run() -> None:
    """What follows in its group would be out of order otherwise."""
    messages = [grouped(number, "a") for number in (1, 2)]
    destination = FakeDestination([all_but(OOPS)] * 2)

    sender, results = sent(destination, messages, SendLimits(2, 1, ordered=True), size=1)

    assert (results.totals.failed, results.totals.unsent) == (1, 1)
    assert str(sender.error) == "gave up after 2 attempts: InternalError Oops"


def test_a_message_out_of_order_is_said() -> None:
    """SQS decides about each entry of a batch by itself."""
    messages = [grouped(number, "a") for number in (1, 2)]
    results = SendResults(progress := FakeProgress(), NoSentLog())
    destination = FakeDestination([all_but(OOPS)])
    sender = Sender(destination, results, FakeStop(), SendLimits(2, 1, ordered=True), seeded())
    sender.submit(messages)
    sender.finish()

    assert (results.totals.sent, results.totals.out_of_order) == (2, 1)
    assert "out of order: line 1 comes after later messages of its group a" in progress.notes[0]


@pytest.mark.parametrize(
    ("answers", "attempts", "expected"),
    [
        pytest.param([LOST], 3, (5, 0, [], [1, 2, 3, 4, 5]), id="then accepted"),
        pytest.param([LOST] * 3, 3, (0, 0, [1, 2, 3, 4, 5], []), id="lost every time"),
        pytest.param([LOST, DOWN, DOWN], 3, (0, 0, [1, 2, 3, 4, 5], []), id="then not taken"),
        pytest.param([DOWN, DOWN, DOWN], 3, (0, 5, [], []), id="never taken"),
        pytest.param(
            [
                LOST,
                all_but(
                    *(
                        Refusal(place, "InvalidMessageContents", "", retry=False)
                        for place in range(5)
                    )
                ),
            ],
            2,
            (0, 0, [1, 2, 3, 4, 5], []),
            id="then refused",
        ),
        pytest.param([silence_about(*range(5))], 1, (0, 0, [1, 2, 3, 4, 5], []), id="silence"),
        pytest.param([silence_about(4)], 2, (5, 0, [], [5]), id="one not named"),
    ],
)
def test_a_lost_answer_is_never_a_failure(
    answers: list[Exception], attempts: int, expected: tuple[int, int, list[int], list[int]]
) -> None:
    """SQS may have accepted the messages; accepted later, they may be there twice."""
    _, results = sent(FakeDestination(answers), outgoings(5), SendLimits(attempts, 1))

    totals = results.totals
    assert (
        totals.sent,
        totals.failed,
        [number for _, number in totals.indeterminate],
        [number for _, number in totals.perhaps_twice],
    ) == expected


def test_a_fifo_queue_drops_what_it_has_already() -> None:
    """Its deduplication id is the same in every attempt."""
    messages = [grouped(1, "a")]

    _, results = sent(FakeDestination([LOST]), messages, SendLimits(2, 1, ordered=True))

    assert (results.totals.sent, results.totals.perhaps_twice) == (1, [])


class Hanging:
    """A destination that answers when the test is over."""

    def __init__(self) -> None:
        """Start without a call."""
        self.asked = threading.Event()
        self.over = threading.Event()

    def send(self, messages: Sequence[str | OutgoingEntry]) -> SendBatchResult:
        """Hang."""
        self.asked.set()
        self.over.wait(60)
        return everything(messages)


@pytest.mark.parametrize("hurried", [True, False], ids=["second signal", "time over"])
def test_a_request_that_hangs_is_given_up_after_a_stop(*, hurried: bool) -> None:
    """Its messages are indeterminate, and an answer that comes later changes nothing."""
    limits = SendLimits(3, 2, grace=60.0 if hurried else 0.1)
    destination = Hanging()
    results = SendResults(FakeProgress(), NoSentLog())
    stop = FakeStop()
    sender = Sender(destination, results, stop, limits, seeded())
    sender.submit(outgoings(3))
    assert destination.asked.wait(60)
    stop.request()

    sender.finish(lambda: hurried)
    destination.over.set()
    for thread in threading.enumerate():
        if thread.name == "sender":
            thread.join(60)

    totals = results.totals
    assert (totals.sent, totals.failed, totals.unsent) == (0, 0, 0)
    assert [number for _, number in totals.indeterminate] == [1, 2, 3]
