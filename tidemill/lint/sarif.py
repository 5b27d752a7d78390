"""Findings as SARIF 2.1.0, the format that code scanning services and editors read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tidemill.lint.check import RULES

if TYPE_CHECKING:
    from pathlib import Path

    from tidemill.lint.check import Report
    from tidemill.lint.finding import Finding, Rule

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
VERSION = "2.1.0"


def sarif_log(report: Report, source: Path) -> dict[str, Any]:
    """Return the log of one run over the template at this path."""
    numbers = {rule.id: number for number, rule in enumerate(RULES)}
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {"driver": {"name": "tidemill lint", "rules": list(map(_rule, RULES))}},
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(finding, numbers[finding.rule], source) for finding in report.findings
                ],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.problem},
        "fullDescription": {"text": f"{rule.why} AWS: {rule.page}."},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(finding: Finding, number: int, source: Path) -> dict[str, Any]:
    uri = source.as_uri() if source.is_absolute() else quote(source.as_posix())
    return {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": finding.severity.value,
        "message": {"text": f"{finding.what}. {finding.fix}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri},
                    "region": {"startLine": finding.line, "startColumn": finding.column},
                },
                "logicalLocations": [{"name": finding.logical_id, "kind": "resource"}],
            }
        ],
    }
