"""Output of a verification: what will be done, what is going on, and what was found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

from tidemill.simulator.cost.prices import (
    HOST_METRICS,
    HOURS,
    PRICES,
    VOLUME_GB,
    WORKLOAD_METRICS,
    cost,
)
from tidemill.verify.finding import Verdict
from tidemill.verify.plan import permissions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tidemill.verify.check import Check, Observation, Use
    from tidemill.verify.run import Finding
    from tidemill.verify.target import Target

STYLES = {
    Verdict.AGREES: "green",
    Verdict.DIFFERS: "bold red",
    Verdict.NOT_OBSERVED: "yellow",
}
ORDER = (Verdict.DIFFERS, Verdict.NOT_OBSERVED, Verdict.AGREES)
HOUR = 3600
MINUTE = 60


class Output:
    """The output of one run: findings to standard output, everything else to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        """Print JSON, or text for people."""
        self._as_json = as_json
        self._out = Console(soft_wrap=True, highlight=False)
        self._err = Console(stderr=True, soft_wrap=True, highlight=False)

    def catalogue(self, checks: Sequence[Check], target: Target) -> None:
        """Print all checks with what they do, take and need, for a stack of this kind."""
        if self._as_json:
            described = [_described(check, check.observation.use(target)) for check in checks]
            typer.echo(json.dumps({"checks": described}))
            return
        for check in checks:
            one = check.observation
            self._out.print(Text.assemble((check.name, "bold"), f"  {check.question}"))
            self._out.print(f"  {one.level.value}; {one.does} ({_takes(one.use(target))})")
            self._out.print(f"  needs {', '.join(check.observation.calls)}", style="dim")
        self._out.print("All need " + ", ".join(permissions(())), style="dim")

    def announce(
        self,
        target: Target,
        checks: Sequence[Check],
        left_out: Sequence[Check],
        about: Mapping[str, str],
    ) -> None:
        """Print, before anything is done, what will be done, how long it takes, and the cost."""
        say = self._err.print
        say(f"stack {target.name} in {target.region}, account {target.account}, as {target.caller}")
        if "endpoint" in about:
            say(f"at {about['endpoint']}: nothing here is an answer of AWS", style="yellow")
        for one in observations(checks):
            names = ", ".join(check.name for check in checks if check.observation.name == one.name)
            say(Text.assemble((names, "bold"), f": {one.does} ({_takes(one.use(target))})"))
        if left_out:
            names = ", ".join(f"{one.name} ({one.observation.level.value})" for one in left_out)
            say(f"left out: {names}", style="dim")
        uses = [one.use(target) for one in observations(checks)]
        total = sum(dollars(use) for use in uses)
        say(f"together about {_duration(sum(use.seconds for use in uses))}, {_cents(total)}")
        say(f"permissions: {', '.join(permissions(checks))}", style="dim")

    def progress(self, name: str, line: str) -> None:
        """Print a line of progress."""
        self._err.print(f"{name}: {line}", style="dim")

    def written(self, file: Path) -> None:
        """Print that a file was written."""
        self._err.print(f"wrote {file}")

    def findings(self, findings: Sequence[Finding]) -> None:
        """Print each check with its rows, those that differ first, and the counts of verdicts."""
        for finding in findings:
            verdict = finding.verdict
            self._out.print(
                Text.assemble(
                    (verdict.value, STYLES[verdict]),
                    f" {finding.check.name}: {finding.check.question}",
                )
            )
            for row in sorted(finding.rows, key=lambda row: ORDER.index(row.verdict)):
                style = STYLES[row.verdict]
                self._out.print(Text.assemble("  ", (row.verdict.value, style), f": {row.what}"))
                self._out.print(f"    expected  {row.expected}")
                note = f"  ({row.note})" if row.note else ""
                observed = (row.observed or row.verdict.value, style)
                self._out.print(Text.assemble("    observed  ", observed, note))
            if verdict is Verdict.DIFFERS:
                self._out.print(f"  what to do: {finding.check.remedy}")
        counts = [
            f"{sum(finding.verdict is verdict for finding in findings)} {verdict.value}"
            for verdict in Verdict
        ]
        self._out.print(f"checks: {', '.join(counts)}")


def observations(checks: Sequence[Check]) -> list[Observation]:
    """Return the observations of these checks, each once, in their order."""
    return list({check.observation.name: check.observation for check in checks}.values())


def dollars(use: Use) -> float:
    """Return what an observation costs, by the prices in prices.py and without free tiers.

    A metric that was read costs as much as one request that publishes metrics (0.01 USD for 1,000,
    from memory). The metrics of an instance are charged for an hour each.
    """
    hours = use.instance_seconds / HOUR
    metrics = (WORKLOAD_METRICS + HOST_METRICS) / HOURS if use.instance_seconds else 0.0
    used = {
        "instances": hours,
        "volumes": hours * VOLUME_GB / HOURS,
        "addresses": hours,
        "requests": float(use.requests),
        "metrics": metrics,
        "puts": float(use.metrics_read),
    }
    return sum(cost(used, PRICES, allowances=False).values())


def _described(check: Check, use: Use) -> dict[str, object]:
    return {
        "name": check.name,
        "question": check.question,
        "does": check.observation.does,
        "level": check.observation.level.name.lower(),
        "seconds": use.seconds,
        "usd": round(dollars(use), 4),
        "permissions": list(check.observation.calls),
        "remedy": check.remedy,
    }


def _takes(use: Use) -> str:
    return f"{_duration(use.seconds)}, {_cents(dollars(use))}"


def _duration(seconds: float) -> str:
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h"


def _cents(amount: float) -> str:
    return "free" if amount < 0.0001 else f"{amount * 100:.2f} US cents"  # noqa: PLR2004 - no cent
