"""Figures as tables: for a terminal, and for Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROWS = (
    ("sent", "messages sent, malformed ones included"),
    ("poison", "of them malformed on purpose"),
    ("processed", "processed"),
    ("invalid", "found invalid"),
    ("dead_lettered", "in the dead-letter queue"),
    ("left_in_queue", "left in the queue"),
    ("duplicates", "processed more than once, extra times"),
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
"""The figures of a run in the order of their telling, with what they are."""


def summary_rows(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (what it is, figure) for every figure that the summary has."""
    return [(label, _figure(summary[name])) for name, label in ROWS if name in summary]


def summary_table(summary: Mapping[str, Any]) -> Table:
    """Return the figures of a run as a table for a terminal."""
    table = Table(title="What became of the messages, and of the fleet", show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right", style="bold")
    for label, figure in summary_rows(summary):
        bad = label == "lost" and figure != "0"
        table.add_row(label, figure, style="red" if bad else None)
    return table


class UpRig(Protocol):
    """A rig that is up, as it tells of itself."""

    @property
    def endpoint(self) -> str:
        """Return the URL of its local AWS."""
        ...

    @property
    def autoscaling_url(self) -> str:
        """Return the URL of its Auto Scaling API."""
        ...

    @property
    def queue_url(self) -> str:
        """Return its work queue's URL."""
        ...

    @property
    def status(self) -> Mapping[str, Any]:
        """Return how things stand, by name."""
        ...


def state_table(rig: UpRig) -> Table:
    """Return a rig that is up as a table for a terminal."""
    table = Table(title="The rig that is up", show_header=False)
    table.add_column(style="dim")
    table.add_column(style="bold", overflow="fold")
    table.add_row("endpoint", rig.endpoint)
    table.add_row("Auto Scaling", rig.autoscaling_url)
    table.add_row("queue", rig.queue_url)
    for name, value in rig.status.items():
        if name == "at":
            continue
        text = (
            ", ".join(f"{alarm} {state}" for alarm, state in value.items())
            if isinstance(value, dict)
            else f"{value:.1f}"
            if isinstance(value, float)
            else str(value)
        )
        table.add_row(name.replace("_", " "), text)
    return table


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; bars and line ends inside cells are made harmless."""
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _figure(value: object) -> str:
    return "never" if value is None else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
