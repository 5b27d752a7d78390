"""Tests of one run from input to sender."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import pytest
from support.fakes.producing import FakeDestination, FakeProgress, outgoings, seeded
from support.fakes.stopping import FakeStop

from producer.errors import InputError
from producer.messages.outgoing_message import OutgoingMessage, RejectedLine
from producer.run import messages_to_send, send_all
from producer.send_results import SendResults
from producer.sending import Sender, SendLimits
from producer.sent_log import NoSentLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BAD = RejectedLine(3, "not JSON")


def sendable(
    items: Iterable[OutgoingMessage | RejectedLine | None],
    stop: FakeStop,
    *,
    skip_invalid: bool = False,
) -> tuple[list[OutgoingMessage | None], SendResults]:
    """Return the messages to send, and the results."""
    results = SendResults(FakeProgress(), NoSentLog())
    return list(messages_to_send(items, results, stop, skip_invalid=skip_invalid)), results


def test_nothing_after_an_invalid_line_is_sent() -> None:
    """Lines after an invalid one are not even read."""
    rest = iter(outgoings(5, first=4))

    passed, results = sendable(_chain(outgoings(2), [BAD], rest), FakeStop())

    assert passed == outgoings(2)
    assert results.totals.rejected == 1
    assert next(rest).number == 4


def test_invalid_lines_can_be_skipped() -> None:
    """With skip_invalid the other messages are sent, and pauses stay."""
    passed, results = sendable(
        [*outgoings(2), BAD, None, *outgoings(1, first=4)], FakeStop(), skip_invalid=True
    )

    assert [item and item.number for item in passed] == [1, 2, None, 4]
    assert results.totals.rejected == 1
    assert passed[-1] is not None
    results.record_accepted([(item, "id") for item in passed if item])
    results.finish()
    assert results.totals.last_line == 4


def test_stopping_ends_the_input() -> None:
    """After a stop nothing more is read, invalid lines included."""
    stop = FakeStop()
    stop.request()

    passed, results = sendable([BAD, *outgoings(2)], stop)

    assert passed == []
    assert results.totals.rejected == 0


def test_an_input_that_breaks_off_ends_it_after_what_was_read() -> None:
    """Messages before the read error are sent."""
    error = InputError("reading x failed")

    def breaking() -> Iterator[OutgoingMessage]:
        yield from outgoings(2)
        raise error

    passed, results = sendable(breaking(), FakeStop())

    assert passed == outgoings(2)
    assert results.totals.input_error is error


class Clock:
    """A clock that advances only by waits for the stop."""

    def __init__(self, stop: FakeStop, start: float = 100.0) -> None:
        """Start anywhere."""
        self._stop = stop
        self._start = start
        self.late = 0.0

    def __call__(self) -> float:
        """Return the start plus all waits plus the moves by the test."""
        return self._start + sum(self._stop.waits) + self.late


def run(
    dues: Iterator[float], number: int, stop: FakeStop, clock: Clock
) -> tuple[FakeDestination, SendResults]:
    """Send so many messages when they are due."""
    destination, results = FakeDestination(), SendResults(FakeProgress(), NoSentLog())
    sender = Sender(destination, results, stop, SendLimits(attempts=1, in_flight=1), seeded())
    send_all(outgoings(number), dues, sender, stop, clock)
    sender.finish()
    return destination, results


def test_batches_leave_when_their_last_message_is_due() -> None:
    """Waits are counted from the start, not from the previous batch."""
    stop = FakeStop()

    destination, results = run(iter([0.0, 0.05, 1.0, 3.0]), 4, stop, Clock(stop))

    assert [len(call) for call in destination.calls] == [2, 1, 1]
    assert stop.waits == pytest.approx([0.05, 0.95, 2.0])
    assert results.totals.sent == 4


def test_without_a_rate_nobody_waits() -> None:
    """Without a rate batches are sent as fast as possible."""
    stop = FakeStop()

    destination, _ = run(repeat(0.0), 25, stop, Clock(stop))

    assert [len(call) for call in destination.calls] == [10, 10, 5]
    assert stop.waits == []


def test_a_run_that_is_late_catches_up() -> None:
    """A batch that is overdue is sent at once."""
    stop = FakeStop()
    clock = Clock(stop)

    def dues() -> Iterator[float]:
        yield from (0.0, 1.0)
        clock.late = 10.0
        yield from (2.0, 3.0)

    _, results = run(dues(), 4, stop, clock)

    assert stop.waits == pytest.approx([])
    assert results.totals.sent == 4


def test_stopping_during_a_wait_leaves_the_rest_unsent() -> None:
    """The batch that was waiting for its due time is not sent."""
    stop = FakeStop(stop_in_wait=2)

    destination, results = run(iter([0.0, 1.0, 2.0, 3.0]), 4, stop, Clock(stop))

    assert [len(call) for call in destination.calls] == [1, 1]
    assert (results.totals.sent, results.totals.unsent) == (2, 2)


def _chain(
    *parts: Iterable[OutgoingMessage | RejectedLine | None],
) -> Iterator[OutgoingMessage | RejectedLine | None]:
    for part in parts:
        yield from part
