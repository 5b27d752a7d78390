"""Summary of a run, for people and for machines, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
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
        return self.total - self.totals.sent - self.totals.failed

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
        return 1 if self._error_text() or self.totals.failed else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints, with the first thousand problems at most."""
        return {
            "sent": self.totals.sent,
            "poison": self.totals.poison,
            "failed": self.totals.failed,
            "skipped": self.skipped,
            "unsent": self.unsent,
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
        """Return a line of numbers for people, after a line that says what ended the run early."""
        totals = self.totals
        verb = "would be sent" if self.dry_run else "sent"
        poison = f" ({totals.poison} poison)" if totals.poison else ""
        numbers = (
            f"{verb} {totals.sent}{poison}, failed {totals.failed}, skipped {self.skipped}, "
            f"not sent {self.unsent}; {self.rate:.1f} messages/s over {self.seconds:.1f} s; "
            f"seed {self.seed}"
        )
        return "\n".join(filter(None, [self._ending(), numbers]))

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


def _as_dict(problem: Problem) -> dict[str, str]:
    return {"what": problem.what, "reason": problem.reason}
