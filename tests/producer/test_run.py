"""Tests of one run from input to sender."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import pytest
from support.fakes.producing import FakeDestination, FakeProgress, FakeStop, outgoings, seeded

from producer.errors import InputError
from producer.outgoing_message import Outgoing, Rejected
from producer.run import admitted, send_all
from producer.send_results import Ledger
from producer.sending import Sender
from producer.sent_log import record_nothing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BAD = Rejected(3, "not JSON")


def admit(
    items: Iterable[Outgoing | Rejected | None], stop: FakeStop, *, skip_invalid: bool = False
) -> tuple[list[Outgoing | None], Ledger]:
    """Return what is admitted, and the ledger."""
    ledger = Ledger(FakeProgress(), record_nothing)
    return list(admitted(items, ledger, stop, skip_invalid=skip_invalid)), ledger


def test_nothing_after_an_invalid_line_is_admitted() -> None:
    """Not even read."""
    rest = iter(outgoings(5, first=4))

    passed, ledger = admit(_chain(outgoings(2), [BAD], rest), FakeStop())

    assert passed == outgoings(2)
    assert ledger.tally.rejected == 1
    assert next(rest).number == 4


def test_invalid_lines_can_be_skipped() -> None:
    """The others go out; pauses pass through."""
    passed, ledger = admit(
        [*outgoings(2), BAD, None, *outgoings(1, first=4)], FakeStop(), skip_invalid=True
    )

    assert [item and item.number for item in passed] == [1, 2, None, 4]
    assert ledger.tally.rejected == 1
    assert ledger.tally.last_line == 4


def test_stopping_ends_the_input() -> None:
    """Whatever else it holds, invalid lines included."""
    stop = FakeStop()
    stop.request()

    passed, ledger = admit([BAD, *outgoings(2)], stop)

    assert passed == []
    assert ledger.tally.rejected == 0


def test_an_input_that_breaks_off_ends_it_after_what_was_read() -> None:
    """What came before is still sent."""
    error = InputError("reading x failed")

    def breaking() -> Iterator[Outgoing]:
        yield from outgoings(2)
        raise error

    passed, ledger = admit(breaking(), FakeStop())

    assert passed == outgoings(2)
    assert ledger.tally.broken_off is error


class Clock:
    """A clock that goes on only while somebody waits for the stop."""

    def __init__(self, stop: FakeStop, start: float = 100.0) -> None:
        """Start anywhere."""
        self._stop = stop
        self._start = start
        self.late = 0.0

    def __call__(self) -> float:
        """Return the start, what was waited for, and what the clock was moved by."""
        return self._start + sum(self._stop.waits) + self.late


def run(
    dues: Iterator[float], number: int, stop: FakeStop, clock: Clock
) -> tuple[FakeDestination, Ledger]:
    """Send so many messages when they are due."""
    destination, ledger = FakeDestination(), Ledger(FakeProgress(), record_nothing)
    sender = Sender(destination, ledger, stop, attempts=1, in_flight=1, rng=seeded())
    send_all(outgoings(number), dues, sender, stop, clock)
    sender.finish()
    return destination, ledger


def test_batches_leave_when_their_last_message_is_due() -> None:
    """Waits are counted from the start, not from the previous batch."""
    stop = FakeStop()

    destination, ledger = run(iter([0.0, 0.05, 1.0, 3.0]), 4, stop, Clock(stop))

    assert [len(call) for call in destination.calls] == [2, 1, 1]
    assert stop.waits == pytest.approx([0.05, 0.95, 2.0])
    assert ledger.tally.sent == 4


def test_without_a_rate_nobody_waits() -> None:
    """As fast as possible."""
    stop = FakeStop()

    destination, _ = run(repeat(0.0), 25, stop, Clock(stop))

    assert [len(call) for call in destination.calls] == [10, 10, 5]
    assert stop.waits == []


def test_a_run_that_is_late_catches_up() -> None:
    """What is overdue goes at once."""
    stop = FakeStop()
    clock = Clock(stop)

    def dues() -> Iterator[float]:
        yield from (0.0, 1.0)
        clock.late = 10.0
        yield from (2.0, 3.0)

    _, ledger = run(dues(), 4, stop, clock)

    assert stop.waits == pytest.approx([])
    assert ledger.tally.sent == 4


def test_stopping_during_a_wait_leaves_the_rest_unsent() -> None:
    """The batch that was waited for is not sent any more."""
    stop = FakeStop(stop_in_wait=2)

    destination, ledger = run(iter([0.0, 1.0, 2.0, 3.0]), 4, stop, Clock(stop))

    assert [len(call) for call in destination.calls] == [1, 1]
    assert (ledger.tally.sent, ledger.tally.unsent) == (2, 2)


def _chain(
    *parts: Iterable[Outgoing | Rejected | None],
) -> Iterator[Outgoing | Rejected | None]:
    for part in parts:
        yield from part
