"""Findings: a comparison without an observation is never an agreement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemill.verify.finding import (
    Row,
    Span,
    Verdict,
    among,
    compared,
    overall,
    text,
    unobserved,
    within,
)

VERDICTS = st.lists(st.sampled_from(Verdict))


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (compared("x", 1, 1.0), Verdict.AGREES),
        (compared("x", 1, 2), Verdict.DIFFERS),
        (compared("x", [], []), Verdict.AGREES),
        (compared("x", [], ["a"]), Verdict.DIFFERS),
        (compared("x", 1, None), Verdict.NOT_OBSERVED),
        (within("x", Span(1, 2), 1.0), Verdict.AGREES),
        (within("x", Span(1, 2), 2.1), Verdict.DIFFERS),
        (within("x", Span(1, 2), None), Verdict.NOT_OBSERVED),
        (among("x", {"a", "b"}, "b"), Verdict.AGREES),
        (among("x", {"a"}, "b"), Verdict.DIFFERS),
        (among("x", set(), "b"), Verdict.DIFFERS),
        (among("x", {"a"}, None), Verdict.NOT_OBSERVED),
        (unobserved("x", "a"), Verdict.NOT_OBSERVED),
    ],
    ids=str,
)
def test_a_row_says_what_its_comparison_shows(row: Row, verdict: Verdict) -> None:
    """Equal values agree however they are written; None is no observation."""
    assert row.verdict is verdict


@given(VERDICTS)
def test_one_difference_decides_and_only_full_agreement_agrees(verdicts: list[Verdict]) -> None:
    """A difference counts most; anything that was not observed prevents an agreement."""
    found = overall(Row("x", "", "", verdict) for verdict in verdicts)
    assert (found is Verdict.DIFFERS) == (Verdict.DIFFERS in verdicts)
    assert (found is Verdict.AGREES) == (bool(verdicts) and set(verdicts) == {Verdict.AGREES})


@pytest.mark.parametrize(
    ("value", "shown"),
    [(True, "yes"), (1.0, "1"), (None, "none"), (["b", 2], "b, 2"), ([], "none"), ("a", "a")],
    ids=repr,
)
def test_values_are_shown_as_people_write_them(value: object, shown: str) -> None:
    """The same value has the same text, wherever it was read."""
    assert text(value) == shown
