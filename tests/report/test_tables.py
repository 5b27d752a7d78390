"""Tests of the rows of a run's figures."""

from __future__ import annotations

from tidemill.report.tables import RARE, ROWS, reason_lines, summary_rows

QUIET = {name: 0 for name, _ in ROWS}


def test_a_run_without_troubles_has_no_rows_of_them() -> None:
    """Zeros of what is rare would hide the figures that matter."""
    labels = [label for label, _ in summary_rows(QUIET)]

    assert len(labels) == len(ROWS) - len(RARE)
    assert "lost" in labels
    assert "returned untouched" not in labels


def test_what_happened_has_its_row() -> None:
    """One message that crashed is one row more."""
    rows = dict(summary_rows({**QUIET, "crashed": 1}))

    assert rows["ended their process at least once"] == "1"
    assert len(rows) == len(ROWS) - len(RARE) + 1


def test_reasons_of_dead_letters_are_lines() -> None:
    """A run without dead letters, or of an older version, has none."""
    assert reason_lines({}) == []
    assert reason_lines({"dead_letter_reasons": {"failed: x": 2}}) == ["dead letters: 2 failed: x"]


def test_a_time_limit_that_was_met_is_explained() -> None:
    """At speed 20 the limit is a twentieth, but a handler is as slow as ever."""
    (line,) = reason_lines({"timed_out": 1, "speed": 20.0})

    assert "MessageSeconds divided by the speed 20" in line
