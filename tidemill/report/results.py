"""Files of a finished run: facts, figures and log lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tidemill.report.errors import ReportError
from tidemill.scaling.facts import ActivityStarted, Fact, from_record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Summary = dict[str, Any]
"""The figures and conditions of a run, as in summary.json."""

Logs = dict[str, list[dict[str, Any]]]
"""The log lines of each instance, in order, by its id."""

NEEDED = (
    "sent",
    "processed",
    "invalid",
    "dead_lettered",
    "lost",
    "duplicates",
    "peak_instances",
    "final_instances",
    "seconds_to_first_message",
    "seconds_to_drain",
    "scale_out_activities",
    "scale_in_activities",
    "aws_minutes",
    "wall_seconds",
)


def read_facts(folder: Path) -> list[Fact]:
    """Return the facts of timeline.jsonl.

    Raises:
        ReportError: there is no such file, or one of its lines is not a fact.
    """
    path = folder / "timeline.jsonl"
    facts = []
    for number, text in enumerate(_text(path).splitlines(), 1):
        try:
            facts.append(from_record(json.loads(text)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ReportError(f"{path}, line {number}: not a fact: run the demo again") from error
    return facts


def read_summary(folder: Path) -> Summary:
    """Return the figures of summary.json.

    Raises:
        ReportError: there is no such file, or a figure is missing.
    """
    path = folder / "summary.json"
    try:
        summary = json.loads(_text(path))
    except ValueError as error:
        raise ReportError(f"{path}: not JSON: run the demo again") from error
    if not isinstance(summary, dict):
        raise ReportError(f"{path}: not a JSON object: run the demo again")
    missing = [name for name in NEEDED if name not in summary]
    if missing:
        raise ReportError(f"{path}: no {', '.join(missing)}: run the demo again")
    return summary


def require_one_run(facts: Sequence[Fact], summary: Summary) -> None:
    """Check that facts and figures are of the same run.

    A demo that was stopped early leaves its timeline next to the figures of an earlier demo.

    Raises:
        ReportError: they differ in the number of launches or terminations.
    """
    kinds = [fact.kind_of for fact in facts if isinstance(fact, ActivityStarted)]
    seen = [kinds.count("launch"), kinds.count("terminate")]
    if seen != [summary["scale_out_activities"], summary["scale_in_activities"]]:
        raise ReportError(
            "timeline.jsonl and summary.json are of different runs: let a demo run to its end"
        )


def read_logs(folder: Path) -> Logs:
    """Return each instance's log lines, without those that are not a JSON object."""
    logs: Logs = {}
    for path in sorted((folder / "logs").glob("*.jsonl")):
        entries = []
        for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                entry = json.loads(text)
            except ValueError:
                continue
            if isinstance(entry, dict):
                entries.append(entry)
        logs[path.stem] = entries
    return logs


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ReportError(f"cannot read {path}: run `make demo` first") from error
    except UnicodeDecodeError as error:
        raise ReportError(f"{path}: not UTF-8 text: run the demo again") from error
