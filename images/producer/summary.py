"""Summary of a run, for people and for machines, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from producer.line_set import ranges_of, ranges_text
from producer.messages.outgoing_message import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from signal import Signals

    from producer.send_results import Problem, SendTotals
    from shared.errors import WorkloadError

SIGNALLED: Final = 128
"""Shells report a program that ended because of signal n as 128 + n."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of a run: `total` is how many messages were to be sent, None if unknown.

    `received` is the signal that stopped the run, `error` what ended it.
    """

    totals: SendTotals
    total: int | None
    seconds: float
    seed: int
    skip_invalid: bool
    dry_run: bool
    received: Signals | None = None
    error: WorkloadError | None = None

    @property
    def unsent(self) -> int:
        """Return how many messages were not sent because the run ended first."""
        if self.total is None:
            return self.totals.unsent
        known = self.totals.sent + self.totals.failed + len(self.totals.indeterminate)
        return self.total - known

    @property
    def skipped(self) -> int:
        """Return how many invalid lines were skipped."""
        return self.totals.rejected if self.skip_invalid else 0

    @property
    def invalid(self) -> Problem | None:
        """Return the invalid line that ended the run."""
        if self.skip_invalid or not self.totals.rejections:
            return None
        return self.totals.rejections[0]

    @property
    def rate(self) -> float:
        """Return the messages sent per second."""
        return self.totals.sent / self.seconds if self.seconds else 0.0

    @property
    def exit_code(self) -> int:
        """Return 0 if everything was sent, 1 if not, 130 or 143 if a signal ended the run."""
        if self.received:
            return SIGNALLED + self.received
        return 1 if self._error_text() or self.totals.failed or self.totals.indeterminate else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints, with the first thousand problems at most."""
        return {
            "sent": self.totals.sent,
            "poison": self.totals.poison,
            "failed": self.totals.failed,
            "skipped": self.skipped,
            "unsent": self.unsent,
            "sent_before": self.totals.resumed,
            "indeterminate": _as_ranges(self.totals.indeterminate),
            "perhaps_twice": _as_ranges(self.totals.perhaps_twice),
            "out_of_order": self.totals.out_of_order,
            "last_line": self.totals.last_line or None,
            "seconds": round(self.seconds, 3),
            "rate": round(self.rate, 1),
            "seed": self.seed,
            "signal": self.received.name if self.received else None,
            "error": self._error_text(),
            "failures": [_as_dict(problem) for problem in self.totals.failures],
            "invalid_lines": [_as_dict(problem) for problem in self.totals.rejections],
            "exit_code": self.exit_code,
        }

    def as_text(self) -> str:
        """Return lines for people: what ended the run early, its numbers, and what is unsure."""
        totals = self.totals
        verb = "would be sent" if self.dry_run else "sent"
        poison = f" ({totals.poison} poison)" if totals.poison else ""
        unsure = len(totals.indeterminate)
        indeterminate = f", indeterminate {unsure}" if unsure else ""
        before = f", sent before {totals.resumed}" if totals.resumed else ""
        numbers = (
            f"{verb} {totals.sent}{poison}, failed {totals.failed}, skipped {self.skipped}, "
            f"not sent {self.unsent}{indeterminate}{before}; "
            f"{self.rate:.1f} messages/s over {self.seconds:.1f} s; seed {self.seed}"
        )
        return "\n".join(filter(None, [self._ending(), numbers, *self._doubts()]))

    def _doubts(self) -> Iterator[str]:
        if found := self.totals.indeterminate:
            yield f"indeterminate: {_as_names(found)}: no answer came, so they may be in the queue"
        if found := self.totals.perhaps_twice:
            yield (
                f"perhaps twice in the queue: {_as_names(found)}: an answer was lost, and they "
                "were sent again"
            )

    def _ending(self) -> str:
        if error := self._error_text():
            return f"Error: {error}"
        if self.received:
            read = self.totals.last_line
            return f"stopped by {self.received.name}" + (f" after line {read}" if read else "")
        return ""

    def _error_text(self) -> str | None:
        if error := self.error or self.totals.input_error:
            return str(error)
        if self.invalid:
            return (
                f"stopped at the invalid {self.invalid}; messages sent before it: "
                f"{self.totals.sent} (--skip-invalid skips such lines)"
            )
        return None


def _as_ranges(found: Sequence[tuple[Origin, int]]) -> list[dict[str, Any]]:
    """Return the messages as ranges, such as {"of": "line", "first": 1, "last": 10}."""
    return [
        {"of": origin, "first": first, "last": last}
        for origin in Origin
        for first, last in ranges_of(number for of, number in found if of is origin)
    ]


def _as_names(found: Sequence[tuple[Origin, int]]) -> str:
    """Return the messages for people: 'lines 1-10, 12; poison 3'."""
    texts = []
    for origin in Origin:
        if numbers := [number for of, number in found if of is origin]:
            ending = "s" if len(numbers) > 1 and origin is not Origin.POISON else ""
            texts.append(f"{origin}{ending} {ranges_text(numbers)}")
    return "; ".join(texts)


def _as_dict(problem: Problem) -> dict[str, str]:
    return {"what": problem.what, "reason": problem.reason}
