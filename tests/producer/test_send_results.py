"""Tests of keeping account of every message."""

from __future__ import annotations

from support.fakes.producing import FakeProgress, outgoing, outgoings

from producer.errors import InputError
from producer.outgoing_message import Origin, Rejected
from producer.send_results import KEPT, Ledger, Problem
from producer.sent_log import record_nothing


def test_poison_is_told_apart_among_the_sent() -> None:
    """It counts as sent and as poison."""
    ledger = Ledger(FakeProgress(), record_nothing)

    ledger.accept([(outgoing(1), "a"), (outgoing(1, origin=Origin.POISON), "b")])

    assert (ledger.tally.sent, ledger.tally.poison) == (2, 1)


def test_the_last_line_read_is_known() -> None:
    """Lines count, taken or rejected; what was generated has no line."""
    ledger = Ledger(FakeProgress(), record_nothing)

    ledger.take(outgoing(3))
    ledger.take(outgoing(9, origin=Origin.POISON))
    assert ledger.tally.last_line == 3

    ledger.reject(Rejected(4, "why"))
    assert ledger.tally.last_line == 4


def test_a_skipped_line_is_said_and_a_last_one_is_left_to_the_summary() -> None:
    """Both are counted and kept."""
    progress = FakeProgress()
    ledger = Ledger(progress, record_nothing)

    ledger.skip(Rejected(1, "not JSON"))
    ledger.reject(Rejected(2, "no object"))

    assert progress.notes == ["skipped: line 1: not JSON"]
    assert ledger.tally.rejected == 2
    assert ledger.tally.rejections == [
        Problem("line 1", "not JSON"),
        Problem("line 2", "no object"),
    ]


def test_all_failures_are_shown_and_counted_but_not_all_kept() -> None:
    """A million failures do not fill the memory."""
    progress = FakeProgress()
    ledger = Ledger(progress, record_nothing)

    for message in outgoings(KEPT + 5):
        ledger.fail([(message, "why")])

    assert len(progress.notes) == ledger.tally.failed == progress.done == KEPT + 5
    assert len(ledger.tally.failures) == KEPT


def test_an_input_that_broke_off_is_remembered() -> None:
    """The summary will say so."""
    ledger = Ledger(FakeProgress(), record_nothing)
    error = InputError("reading x failed")

    ledger.break_off(error)

    assert ledger.tally.broken_off is error
