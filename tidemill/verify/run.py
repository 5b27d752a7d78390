"""Run of a verification: observes once for all checks that share an observation, then judges."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tidemill.verify.bench import DONE, SKIPPED, UNANSWERED, Bench, Seen, SkippedError
from tidemill.verify.finding import Row, Verdict, overall
from tidemill.verify.ports import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tidemill.verify.check import Check, Observation
    from tidemill.verify.ports import Aws, Clock
    from tidemill.verify.target import Target


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's comparisons, and its verdict over all of them."""

    check: Check
    rows: tuple[Row, ...]

    @property
    def verdict(self) -> Verdict:
        """Return whether all rows agree, one differs, or something was not observed."""
        return overall(self.rows)


@dataclass(slots=True)
class Run:
    """A run, and what it has seen so far, by the names of the observations.

    An exception that ends it early, such as Ctrl-C, leaves what was seen until then.
    """

    target: Target
    checks: Sequence[Check]
    seen: dict[str, Seen] = field(default_factory=dict)

    def findings(self) -> list[Finding]:
        """Return a finding for each check."""
        return [
            Finding(
                check, tuple(check.judge(self.target, self.seen.get(check.observation.name, {})))
            )
            for check in self.checks
        ]

    def observe(self, aws: Aws, clock: Clock, say: Callable[[str, str], None]) -> None:
        """Make every observation that a check needs, once, in the order of the checks.

        Args:
            aws: the account.
            clock: AWS's time.
            say: called with the names of the checks that an observation is for, and a line of its
                progress.

        Raises:
            VerifyError: no action can succeed any more.
        """
        for check in self.checks:
            one = check.observation
            if one.name in self.seen:
                continue
            names = ", ".join(
                check.name for check in self.checks if check.observation.name == one.name
            )
            bench = Bench(aws, clock, self.target, one.calls, partial(say, names))
            self.seen[one.name] = bench.seen
            bench.say("begins")
            _observe(one, bench)


def _observe(one: Observation, bench: Bench) -> None:
    try:
        one.observe(bench)
        bench.note(DONE, value=True)
    except SkippedError as error:
        bench.note(SKIPPED, str(error))
        bench.say(f"skipped: {error}")
    except RefusedError as error:
        bench.seen.setdefault(UNANSWERED, {})[error.action] = str(error)
        bench.say(str(error))
