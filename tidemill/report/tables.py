"""Rows of a run's figures, and tables in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROWS = (
    ("sent", "messages that SQS acknowledged, malformed ones included"),
    ("poison", "of them malformed on purpose"),
    ("indeterminate", "sends without an answer"),
    ("recovered", "messages of such sends that were found all the same"),
    ("unidentified", "messages that may be of such sends"),
    ("unexpected", "messages that nobody has sent"),
    ("processed", "processed"),
    ("invalid", "found invalid"),
    ("failed", "failed at least once"),
    ("retried", "retried because the handler asked for it"),
    ("rejected", "rejected by the handler"),
    ("timed_out", "over the time limit at least once"),
    ("crashed", "ended their process at least once"),
    ("known_copies", "copies that were not processed again"),
    ("returned", "returned untouched"),
    ("dead_lettered", "in the dead-letter queue"),
    ("unconfirmed", "processed, with a delete that no answer confirmed"),
    ("left_in_queue", "left in the queue"),
    ("duplicates", "processed again, after the first time"),
    ("unexplained_duplicates", "of them without a reason in the logs"),
    ("cut_off", "handlers that a stop cut off"),
    ("given_up", "messages that a worker left to their visibility timeout"),
    ("silent_receives", "receives that led to no line"),
    ("unknown", "neither found nor proven lost"),
    ("lost", "lost"),
    ("peak_instances", "instances at the peak"),
    ("final_instances", "instances at the end"),
    ("scale_out_activities", "launches"),
    ("scale_in_activities", "terminations"),
    ("seconds_to_first_message", "AWS seconds from the first send to the first processed"),
    ("seconds_to_drain", "AWS seconds from the first send to the last processed"),
    ("aws_minutes", "AWS minutes in all"),
    ("wall_seconds", "seconds on this machine"),
)
"""The names of a run's figures and their descriptions, in the order of the table."""


RARE = frozenset(
    {
        *("failed", "retried", "rejected", "timed_out", "crashed", "known_copies", "returned"),
        *("indeterminate", "recovered", "unidentified", "unexpected", "unconfirmed", "cut_off"),
        "given_up",
        *("unexplained_duplicates", "silent_receives", "unknown"),
    }
)
"""Figures that have a row only if they are not 0."""

BAD = frozenset({"unexpected", "unexplained_duplicates", "left_in_queue", "unknown", "lost"})
"""Figures that are 0 in a run that kept all promises."""


def summary_rows(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (description, figure) for every figure in the summary."""
    return [
        (label, _figure(summary[name]))
        for name, label in ROWS
        if name in summary and (summary[name] or name not in RARE)
    ]


def is_bad(label: str, figure: str) -> bool:
    """Return whether a row says that a promise was broken."""
    return figure != "0" and any(label == text for name, text in ROWS if name in BAD)


def reason_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return a line for each reason of dead letters and of work that was done again.

    There is one about a time limit that was met, too.
    """
    reasons, causes = summary.get("dead_letter_reasons", {}), summary.get("duplicate_causes", {})
    lines = [f"dead letters: {number} {reason}" for reason, number in reasons.items()]
    lines += [f"processed again: {number} because {cause}" for cause, number in causes.items()]
    if summary.get("timed_out"):
        lines.append(
            f"time limit: MessageSeconds divided by the speed {summary.get('speed', 1):g}, as all "
            "times here; but a handler takes its real time, so give a slow one a lower --speed"
        )
    return lines


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, with bars escaped and line ends removed in its cells."""
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _figure(value: object) -> str:
    return "never" if value is None else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
