"""Findings as text: each rule once, with all places of its findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tidemill.lint.check import RULES
from tidemill.lint.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tidemill.lint.check import Report

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def lines_of(report: Report, source: Path) -> Iterator[Text]:
    """Yield the lines for the findings, the most severe first, and a last line with the counts."""
    for severity in Severity:
        for rule in RULES:
            found = [
                finding
                for finding in report.findings
                if (finding.rule, finding.severity) == (rule.id, severity)
            ]
            if not found:
                continue
            yield Text.assemble((severity.value, STYLES[severity]), f" {rule.id}: {rule.problem}")
            for finding in found:
                place = f"{source}:{finding.line}:{finding.column}"
                yield Text.assemble("  ", (place, "bold"), f" {finding.what}")
            yield Text(f"  why: {rule.why} (AWS: {rule.page})")
            yield Text(f"  fix: {rule.fix}")
    yield Text(f"{source}: {_counts(report)}")
    for sentence in report.not_modelled:
        yield Text(f"not modelled: {sentence}", style="dim")


def _counts(report: Report) -> str:
    counts = [
        (sum(finding.severity is severity for finding in report.findings), severity.value)
        for severity in Severity
    ]
    named = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in counts if count]
    return ", ".join(named) or "nothing found"
