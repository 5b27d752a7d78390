"""Tests of the summary."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from producer.errors import InputError
from producer.send_results import Problem, SendTotals
from producer.summary import Summary
from shared.errors import QueueRefusedError

DONE = Summary(
    totals=SendTotals(sent=30, poison=2),
    total=30,
    seconds=2.0,
    seed=7,
    skip_invalid=False,
    dry_run=False,
)
BAD_LINE = SendTotals(sent=4, rejected=1, rejections=[Problem("line 5", "not JSON")], last_line=5)


def test_the_numbers_are_one_line() -> None:
    """People get the numbers on one line."""
    assert DONE.as_text() == (
        "sent 30 (2 poison), failed 0, skipped 0, not sent 0; 15.0 messages/s over 2.0 s; seed 7"
    )


def test_the_same_numbers_are_there_for_machines() -> None:
    """Machines get the same numbers as an object."""
    assert DONE.as_dict() == {
        "sent": 30,
        "poison": 2,
        "failed": 0,
        "skipped": 0,
        "unsent": 0,
        "sent_before": 0,
        "indeterminate": [],
        "perhaps_twice": [],
        "out_of_order": 0,
        "last_line": None,
        "seconds": 2.0,
        "rate": 15.0,
        "seed": 7,
        "signal": None,
        "error": None,
        "failures": [],
        "invalid_lines": [],
        "exit_code": 0,
    }


@pytest.mark.parametrize(
    ("summary", "code"),
    [
        pytest.param(DONE, 0, id="all sent"),
        pytest.param(replace(DONE, totals=SendTotals(failed=1)), 1, id="one failed"),
        pytest.param(replace(DONE, error=QueueRefusedError("no")), 1, id="refused"),
        pytest.param(replace(DONE, totals=BAD_LINE), 1, id="invalid line"),
        pytest.param(replace(DONE, totals=BAD_LINE, skip_invalid=True), 0, id="skipped line"),
        pytest.param(
            replace(DONE, totals=SendTotals(input_error=InputError("reading x failed"))),
            1,
            id="broken off",
        ),
        pytest.param(replace(DONE, received=signal.SIGINT), 130, id="Ctrl-C"),
        pytest.param(replace(DONE, received=signal.SIGTERM), 143, id="terminated"),
        pytest.param(
            replace(DONE, received=signal.SIGTERM, totals=SendTotals(failed=1)),
            143,
            id="signal first",
        ),
    ],
)
def test_the_exit_code_says_how_it_went(summary: Summary, code: int) -> None:
    """Exit codes are those of the help's table."""
    assert summary.exit_code == code


def test_an_invalid_line_is_named_with_what_was_sent_before_it() -> None:
    """The text names the invalid line and how many messages were sent before it."""
    text = replace(DONE, total=None, totals=BAD_LINE).as_text()

    assert text.splitlines()[0] == (
        "Error: stopped at the invalid line 5: not JSON; messages sent before it: 4 "
        "(--skip-invalid skips such lines)"
    )
    assert "skipped 0" in text


def test_skipped_lines_are_counted_and_no_error() -> None:
    """Skipped lines are counted, and are no error."""
    summary = replace(DONE, total=None, totals=BAD_LINE, skip_invalid=True)

    assert summary.as_text().startswith("sent 4, failed 0, skipped 1")
    assert summary.as_dict()["invalid_lines"] == [{"what": "line 5", "reason": "not JSON"}]


def test_a_stopped_run_says_what_was_not_sent() -> None:
    """Unsent are all messages of a known total that were neither sent nor failed."""
    totals = SendTotals(sent=10, failed=2, unsent=5)
    summary = replace(DONE, total=100, totals=totals, received=signal.SIGINT)

    assert summary.unsent == 88
    assert summary.as_text().startswith(
        "stopped by SIGINT\nsent 10, failed 2, skipped 0, not sent 88"
    )


def test_a_stopped_file_says_how_far_it_was_read() -> None:
    """A stopped file has no known total, so the text names the last line that was read."""
    totals = SendTotals(sent=10, unsent=5, last_line=16)
    summary = replace(DONE, total=None, totals=totals, received=signal.SIGTERM)

    assert summary.unsent == 5
    assert summary.as_text().startswith("stopped by SIGTERM after line 16\nsent 10")


def test_an_error_comes_first() -> None:
    """The error is the first line."""
    assert (
        replace(DONE, error=QueueRefusedError("no queue"))
        .as_text()
        .startswith("Error: no queue\nsent 30")
    )


def test_a_dry_run_does_not_claim_to_have_sent() -> None:
    """A dry run's text says "would be sent"; a run of zero seconds has the rate 0."""
    text = replace(DONE, dry_run=True, seconds=0.0).as_text()

    assert text.startswith("would be sent 30 (2 poison)")
    assert "0.0 messages/s" in text
