"""Tests of recording the result of every message."""

from __future__ import annotations

from support.fakes.producing import FakeProgress, outgoing, outgoings

from producer.errors import InputError
from producer.messages.outgoing_message import Origin, RejectedLine
from producer.send_results import KEPT, Problem, SendResults
from producer.sent_log import NoSentLog


def test_poison_is_counted_among_the_sent_messages() -> None:
    """A sent poison message counts as sent and as poison."""
    results = SendResults(FakeProgress(), NoSentLog())

    results.record_accepted([(outgoing(1), "a"), (outgoing(1, origin=Origin.POISON), "b")])

    assert (results.totals.sent, results.totals.poison) == (2, 1)


def last_line_of(results: SendResults) -> int:
    """Return the last line, up to which nothing is left to do."""
    results.finish()
    return results.totals.last_line


def test_the_last_line_is_one_after_which_a_run_can_go_on() -> None:
    """Lines that are read but not accepted count as little as the one that ends the run."""
    results = SendResults(FakeProgress(), NoSentLog())
    assert last_line_of(results) == 0
    for number in (1, 2, 3):
        results.record_read(outgoing(number))
    results.record_read(outgoing(9, origin=Origin.POISON))
    assert last_line_of(results) == 0

    results.record_accepted([(outgoing(1), "a"), (outgoing(3), "c")])
    assert last_line_of(results) == 1

    results.record_accepted([(outgoing(2), "b")])
    assert last_line_of(results) == 3

    results.record_skipped(RejectedLine(4, "why"))
    assert last_line_of(results) == 4

    results.record_invalid(RejectedLine(5, "why"))
    assert last_line_of(results) == 4


def test_a_skipped_line_is_shown_and_one_that_ends_the_run_is_not() -> None:
    """A skipped line is shown at once, the line that ends the run only in the summary."""
    progress = FakeProgress()
    results = SendResults(progress, NoSentLog())

    results.record_skipped(RejectedLine(1, "not JSON"))
    results.record_invalid(RejectedLine(2, "no object"))

    assert progress.notes == ["skipped: line 1: not JSON"]
    assert results.totals.rejected == 2
    assert results.totals.rejections == [
        Problem("line 1", "not JSON"),
        Problem("line 2", "no object"),
    ]


def test_all_failures_are_shown_and_counted_but_not_all_kept() -> None:
    """Only the first failures are kept, so a million of them do not fill the memory."""
    progress = FakeProgress()
    results = SendResults(progress, NoSentLog())

    for message in outgoings(KEPT + 5):
        results.record_failed([(message, "why")])

    assert len(progress.notes) == results.totals.failed == progress.done == KEPT + 5
    assert len(results.totals.failures) == KEPT


def test_an_input_error_is_recorded() -> None:
    """A read error is recorded for the summary."""
    results = SendResults(FakeProgress(), NoSentLog())
    error = InputError("reading x failed")

    results.record_input_error(error)

    assert results.totals.input_error is error
