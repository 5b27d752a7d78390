"""Findings: expected beside observed, and whether the two agree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(StrEnum):
    """What a comparison shows; without an observation it shows nothing."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_OBSERVED = "not observed"


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison; `note` adds a reason or a remark."""

    what: str
    expected: str
    observed: str
    verdict: Verdict
    note: str = ""


class Span(NamedTuple):
    """The shortest and the longest time, in seconds, that is no surprise."""

    low: float
    high: float


def compared(what: str, expected: object, observed: object | None, note: str = "") -> Row:
    """Return the comparison of two values as texts; None is no observation."""
    if observed is None:
        return unobserved(what, text(expected), note)
    same = text(expected) == text(observed)
    verdict = Verdict.AGREES if same else Verdict.DIFFERS
    return Row(what, text(expected), text(observed), verdict, note)


def among(what: str, expected: Iterable[str], observed: str | None) -> Row:
    """Return the comparison of a text with several, one of which it should be."""
    choices = sorted(set(expected))
    shown = " or ".join(choices) or "nothing"
    if observed is None:
        return unobserved(what, shown)
    verdict = Verdict.AGREES if observed in choices else Verdict.DIFFERS
    return Row(what, shown, observed, verdict)


def held(what: str, expected: str, observed: str, *, holds: bool) -> Row:
    """Return the comparison of an observation with a sentence that it fulfils or not."""
    return Row(what, expected, observed, Verdict.AGREES if holds else Verdict.DIFFERS)


def within(what: str, expected: Span, seconds: float | None, note: str = "") -> Row:
    """Return the comparison of a time with a span; None is no observation."""
    shown = f"{expected.low:.0f} to {expected.high:.0f} s"
    if seconds is None:
        return unobserved(what, shown, note)
    fits = expected.low <= seconds <= expected.high
    verdict = Verdict.AGREES if fits else Verdict.DIFFERS
    return Row(what, shown, f"{seconds:.1f} s", verdict, note)


def unobserved(what: str, expected: str, note: str = "") -> Row:
    """Return a comparison that lacks its observation."""
    return Row(what, expected, "", Verdict.NOT_OBSERVED, note)


def overall(rows: Iterable[Row]) -> Verdict:
    """Return one verdict: a difference counts most, then a lack of observations.

    A check agrees only if every one of its rows was observed and agrees.
    """
    verdicts = {row.verdict for row in rows}
    if Verdict.DIFFERS in verdicts:
        return Verdict.DIFFERS
    return Verdict.AGREES if verdicts == {Verdict.AGREES} else Verdict.NOT_OBSERVED


def text(value: object) -> str:
    """Return a value as it is shown: 1.0 as 1, a list with commas, None as none."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case None:
            return "none"
        case list() | tuple():
            return ", ".join(map(text, value)) or "none"
    return str(value)
